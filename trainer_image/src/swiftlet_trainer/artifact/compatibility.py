"""Whether an adapter fits a base model, told before anything is loaded."""

import json
import re
from pathlib import Path
from typing import Any

from swiftlet_trainer.artifact.lora_files import lora_problems
from swiftlet_trainer.artifact.manifest import MANIFEST_FILE, BaseModelRecord, read_manifest
from swiftlet_trainer.models.checks import json_object, safetensors_problems

ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
LAYER = re.compile(r"\.layers?\.(\d+)\.")
LANGUAGE_MODEL = re.compile(r"\.(language_model|text_model|text_decoder|decoder)\.")
"""What a language model is called inside of another. Source: transformers.modeling_utils, get_decoder."""
READS_HIDDEN = re.compile(r"\.(q_proj|k_proj|v_proj|gate_proj|up_proj)\.lora_A\.")


def describe_base(folder: Path, uri: str, revision: str | None, digest: str) -> BaseModelRecord:
    """What a manifest records of the model in `folder`."""
    config = _config(folder)
    return BaseModelRecord(
        uri=uri,
        revision=revision,
        digest=digest,
        architecture=(config.get("architectures") or [config.get("model_type", "")])[0],
        hidden_size=config.get("hidden_size", 0),
        layers=config.get("num_hidden_layers", 0),
        vocabulary=config.get("vocab_size", 0),
    )


def check_adapter(folder: Path, base_folder: Path) -> list[str]:
    """Reasons why the adapter in `folder` cannot be used on the model in `base_folder`; none when it fits.

    An adapter with a manifest must have been trained on these very weights, by digest. One without a manifest (made by
    another program) is held against the model's shape only.
    """
    missing = [name for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS) if not (folder / name).is_file()]
    if missing:
        return [
            f"{folder / name}: no such file; an adapter folder holds {ADAPTER_CONFIG} and {ADAPTER_WEIGHTS}"
            for name in missing
        ]
    if broken := _file_problems(folder):
        return broken
    shapes = _shape_problems(folder, base_folder)
    if shapes or not (folder / MANIFEST_FILE).is_file():
        return shapes
    return _digest_problems(folder, base_folder)


def _file_problems(folder: Path) -> list[str]:
    """What is wrong with the adapter's files themselves, whatever the model."""
    config, problem = json_object(folder / ADAPTER_CONFIG)
    broken = [*([problem] if problem else []), *safetensors_problems(folder / ADAPTER_WEIGHTS)]
    if broken or config.get("peft_type") != "LORA":
        return broken
    from safetensors import safe_open

    with safe_open(folder / ADAPTER_WEIGHTS, framework="np") as tensors:
        shapes = {name: tensors.get_slice(name).get_shape() for name in tensors.keys()}  # noqa: SIM118 (no mapping)
    if not any(".lora_" in name for name in shapes):
        weights = folder / ADAPTER_WEIGHTS
        return [f"{weights} holds no LoRA weights, of which {ADAPTER_CONFIG} speaks; copy the adapter again"]
    found = lora_problems(config, shapes)
    return [f"{folder / ADAPTER_CONFIG}: {problem}; copy the adapter again" for problem in found]


def _digest_problems(folder: Path, base_folder: Path) -> list[str]:
    from swiftlet_trainer.models.loading import model_digest

    recorded = read_manifest(folder).base_model
    found = model_digest(base_folder)
    if recorded.digest == found:
        return []
    return [
        f"{folder}: adapter was trained on {recorded.uri} ({recorded.digest}), the model in {base_folder} is {found}; "
        f"use the model it was trained on, or train it again on this one"
    ]


def _shape_problems(folder: Path, base_folder: Path) -> list[str]:
    """Differences between the adapter's tensors and the model's config that no loading could bridge."""
    from safetensors import safe_open

    config = _config(base_folder)
    problems = []
    with safe_open(folder / ADAPTER_WEIGHTS, framework="pt") as tensors:
        names = [name for name in tensors.keys() if _is_of_text(name, config)]  # noqa: SIM118 (no mapping)
        layers = 1 + max((int(found.group(1)) for name in names if (found := LAYER.search(name))), default=-1)
        widths = {tensors.get_slice(name).get_shape()[1] for name in names if READS_HIDDEN.search(name)}
    hidden = config.get("hidden_size")
    if hidden and widths - {hidden}:
        problems.append(
            f"{folder}: adapter was made for hidden size {max(widths - {hidden})}, "
            f"the model in {base_folder} has {hidden}; use the base that it was trained on"
        )
    depth = config.get("num_hidden_layers")
    if depth and layers > depth:
        problems.append(
            f"{folder}: adapter has weights for {layers} layers, the model in {base_folder} has {depth}; "
            f"use the base that it was trained on"
        )
    return problems


def _is_of_text(name: str, config: dict[str, Any]) -> bool:
    """Whether a tensor is of the language model, which the config's sizes are those of: beside it a model may have
    towers for pictures or sound, of sizes of their own."""
    return "text_config" not in config or LANGUAGE_MODEL.search(name) is not None


def _config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = config.get("text_config")
    return {**config, **text} if isinstance(text, dict) else config
