"""The README.md of an artifact: a model card in Hugging Face's form.

It is made from the manifest and the artifact's files alone, so that the same run has the same card.
"""

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from swiftlet.api.v1alpha1.tasks import AUTO_CLASSES, Task
from swiftlet.api.v1alpha1.tasks.block import HeadName
from swiftlet.api.v1alpha1.uris import hub_name

from swiftlet_trainer.artifact.manifest import Manifest
from swiftlet_trainer.serve.vllm_arguments import LORA_RANKS, adapter_problems, adapter_rank

MODEL_CARD = "README.md"
SETTINGS = ("task", "tuner", "template", "training")
PIPELINES: Mapping[HeadName, str] = {
    "tokens": "text-generation",
    "score": "text-classification",
    "pool": "feature-extraction",
}
"""What a model is for in the hub's words, by its head."""


def model_card(manifest: Manifest, base: str, folder: Path) -> str:
    """The card of the artifact whose other files lie in `folder`. base: what other programs find the base by."""
    is_adapter = manifest.type == "adapter"
    use = _adapter_use(manifest, base, folder) if is_adapter else _model_use(manifest)
    parts = [
        f"---\n{_front_matter(manifest)}\n---",
        f"# {_short(manifest)}",
        f"{'An adapter of' if is_adapter else 'A model made from'} {_code(base)}, "
        f"trained by Swiftlet as the FineTuneJob {_code(manifest.name)}.",
        "## Use",
        "With this folder as the working directory; else write its path instead of `.`:",
        *use,
        "## Training",
        "\n".join(f"- {line}" for line in _facts(manifest)),
        _fenced("json", json.dumps({one: manifest.parameters[one] for one in SETTINGS}, indent=2, ensure_ascii=False)),
        "## Evaluation",
        _evaluation(manifest),
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(manifest: Manifest) -> str:
    """What the hub reads: names of its own repositories only."""
    from huggingface_hub import ModelCardData

    hub, is_adapter = hub_name(manifest.base_model.uri), manifest.type == "adapter"
    datasets = sorted({found for one in manifest.parameters["datasets"] if (found := hub_name(one["uri"]))})
    data = ModelCardData(
        base_model=hub,
        datasets=datasets or None,
        library_name="peft" if is_adapter else "transformers",
        pipeline_tag=PIPELINES[_task(manifest).head],
        tags=[*manifest.parameters["task"], *(["lora"] if is_adapter else []), "swiftlet"],
        base_model_relation=("adapter" if is_adapter else "finetune") if hub else None,
    )
    return str(data.to_yaml())


def _task(manifest: Manifest) -> Task:
    return Task.model_validate(manifest.parameters["task"])


def _model_use(manifest: Manifest) -> list[str]:
    kind = AUTO_CLASSES[_task(manifest).head]
    python = [
        f"from transformers import {kind}, AutoTokenizer",
        f'model = {kind}.from_pretrained(".")',
        'tokenizer = AutoTokenizer.from_pretrained(".")',
    ]
    served = [_fenced("sh", f"vllm serve . --served-model-name {_short(manifest)}")]
    return [_fenced("python", "\n".join(python)), *(served if _task(manifest).head == "tokens" else [])]


def _adapter_use(manifest: Manifest, base: str, folder: Path) -> list[str]:
    revision, task = manifest.base_model.revision, _task(manifest)
    kind, options = AUTO_CLASSES[task.head], {"revision": revision, "num_labels": task.scores}
    given = "".join(f", {name}={value!r}" for name, value in options.items() if value)
    python = [
        f"from peft import PeftModel; from transformers import {kind}, AutoTokenizer",
        f"base = {kind}.from_pretrained({base!r}{given})",
        'model, tokenizer = PeftModel.from_pretrained(base, "."), AutoTokenizer.from_pretrained(".")',
    ]
    served = [_adapter_in_vllm(manifest, base, folder)] if task.head == "tokens" else []
    return [_fenced("python", "\n".join(python)), *served]


def _adapter_in_vllm(manifest: Manifest, base: str, folder: Path) -> str:
    name, revision = _short(manifest), manifest.base_model.revision
    if problems := adapter_problems({name: folder}):
        return f"vLLM cannot serve it: {'; '.join(problems)}."
    rank = next(one for one in LORA_RANKS if one >= adapter_rank(folder))
    words = ["vllm", "serve", base, *(["--revision", revision] if revision else [])]
    return _fenced(
        "sh", shlex.join([*words, "--enable-lora", "--max-lora-rank", str(rank), "--lora-modules", f"{name}=."])
    )


def _facts(manifest: Manifest) -> list[str]:
    base, loss = manifest.base_model, manifest.final_loss
    revision = f", revision {_code(base.revision)}" if base.revision else ""
    return [
        f"Base model: {_code(base.uri)}{revision}, {base.architecture}, {_code(base.digest)}",
        *(f"Started from the {one.type} of {_code(one.name)}, {_code(one.digest)}" for one in manifest.parents or []),
        *(f"Data: {_code(one['uri'])} ({one['split']})" for one in manifest.parameters["datasets"]),
        f"All data as it was read: {_code(manifest.data_digest)}",
        f"Steps: {manifest.steps}, seed {manifest.seed}" + (f", loss of the last one {loss}" if loss else ""),
        "Software: " + ", ".join(f"{package} {version}" for package, version in sorted(manifest.packages.items())),
        f"Settings: {_code(manifest.parameters_digest)}; `manifest.json` has the digest of every file",
    ]


def _evaluation(manifest: Manifest) -> str:
    if manifest.eval_loss is None:
        return "No rows were held out."
    unit = " nats per token" if _task(manifest).learns_tokens else ""
    return f"Loss on held-out rows after the last step: {manifest.eval_loss}{unit}."


def _short(manifest: Manifest) -> str:
    """The job's name without its namespace."""
    return manifest.name.rpartition("/")[2]


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _code(text: str) -> str:
    """A span of code, whatever a path holds."""
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{ticks}{text}{ticks}" if len(ticks) == 1 else f"{ticks} {text} {ticks}"
