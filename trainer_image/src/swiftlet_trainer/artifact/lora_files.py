"""Whether the two files of a LoRA adapter speak of the same weights: engines read them apart, and not all compare."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

A_MATRIX = re.compile(r"^(?:base_model\.model\.)?(.+)\.lora_(?:embedding_)?A(?:\.weight)?$")
"""Names the module that a tensor was made for; the first of its sizes is the rank."""


def lora_problems(config: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]) -> list[str]:
    """Where adapter_config.json (`config`) and the tensors (`shapes` by name) contradict each other."""
    ranks = {found[1]: shape[0] for name, shape in shapes.items() if shape and (found := A_MATRIX.match(name))}
    if config.get("target_parameters"):
        # Adapters of a parameter of all experts have a rank for each of these in one tensor, whatever its name.
        return _invalid_ranks(config)
    return [*(_invalid_ranks(config) or _other_ranks(config, ranks)), *_other_targets(config, list(ranks))]


def _ranks(config: Mapping[str, Any]) -> list[Any]:
    pattern = config.get("rank_pattern") or {}
    return [config.get("r"), *(pattern.values() if isinstance(pattern, dict) else [pattern])]


def _invalid_ranks(config: Mapping[str, Any]) -> list[str]:
    return [f"rank {rank!r}: a rank is a whole number above 0" for rank in _ranks(config) if not _is_rank(rank)]


def _is_rank(rank: Any) -> bool:
    return type(rank) is int and rank > 0


def _other_ranks(config: Mapping[str, Any], ranks: Mapping[str, int]) -> list[str]:
    known = _ranks(config)
    return [
        f"rank {', '.join(str(one) for one in dict.fromkeys(known))}, but the weights of {module} have rank {rank}"
        for module, rank in ranks.items()
        if rank not in known
    ][:1]


def _other_targets(config: Mapping[str, Any], modules: Sequence[str]) -> list[str]:
    """PEFT looks for the targets in the model, and puts the weights on what it found."""
    targets = config.get("target_modules")
    try:
        if not modules or targets is None or any(_is_target(module, targets) for module in modules):
            return []
    except (re.error, TypeError) as error:
        return [f"target_modules {targets!r} are neither names nor a pattern: {error}"]
    return [f"target_modules {targets!r} are none of those whose weights are there, such as {modules[0]}"]


def _is_target(module: str, targets: Any) -> bool:
    """As PEFT reads them: a pattern of whole names, or ends of names."""
    if isinstance(targets, str):
        return targets == "all-linear" or re.fullmatch(targets, module) is not None
    return any(module == one or module.endswith("." + one) for one in targets)
