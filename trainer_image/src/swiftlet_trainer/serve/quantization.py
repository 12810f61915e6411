"""Checkpoints whose weights are quantized already: how, and what can serve them. Nothing has to be said about them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftlet_trainer.models.language_model import language_model

KEYS = ("quantization_config", "compression_config")
"""Of a config.json. Source: transformers.quantizers, and compressed-tensors."""
BITS = ("bits", "w_bit", "num_bits")
GROUPS = ("group_size", "q_group_size", "weight_block_size", "block_structure")
MODELOPT_FILE = "hf_quant_config.json"
"""Where NVIDIA's Model Optimizer says it. Source: vllm, model_arch_config_convertor."""


@dataclass(frozen=True)
class Quantization:
    """How a checkpoint's weights are quantized. config: what the checkpoint says about it."""

    method: str
    bits: int | None
    group: int
    """Weights of a row that share a scale, and stay together therefore; 1 where that is all or nothing."""
    config: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method}, {self.bits} bits" if self.bits else self.method


def quantization_of(model: Path) -> Quantization | None:
    """What the files of the model in the folder say; None for plain weights."""
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    said = next((found for key in KEYS if (found := language_model(config).get(key))), None)
    if said is None and (model / MODELOPT_FILE).is_file():
        said = json.loads((model / MODELOPT_FILE).read_text(encoding="utf-8"))
    if not isinstance(said, dict):
        return None
    numbers = list(_numbers(said))
    bits, groups = ([value for key, value in numbers if key in keys] for keys in (BITS, GROUPS))
    return Quantization(_method(said), max(bits, default=None), max([1, *groups]), said)


def _method(said: Mapping[str, Any]) -> str:
    """As vLLM normalizes it."""
    algorithm = str((said.get("quantization") or {}).get("quant_algo") or "").upper()
    if algorithm:
        return "modelopt_fp4" if "FP4" in algorithm else "modelopt"
    named = str(said.get("quant_method") or "").lower().replace("compressed_tensors", "compressed-tensors")
    older = "bitsandbytes" if said.get("load_in_4bit") or said.get("load_in_8bit") else "unknown"
    return named or older


def _numbers(said: Any) -> Iterator[tuple[str, int]]:
    """Numbers about the weights, wherever the method keeps them, by their keys."""
    for key, value in said.items() if isinstance(said, dict) else ():
        if isinstance(value, int):
            yield key, value
        elif key in GROUPS and isinstance(value, list) and value:
            yield key, value[-1]
        elif key in ("config_groups", "weights") or key.startswith("group_"):
            yield from _numbers(value)
