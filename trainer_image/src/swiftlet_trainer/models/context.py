"""How many tokens a model can tell the places of."""

import json
from pathlib import Path
from typing import Any

NAMES = ("max_position_embeddings", "n_positions", "max_seq_len")
ROPE = ("rope_parameters", "rope_scaling")
STRETCHED = frozenset({"linear", "dynamic", "yarn"})
"""Rotary embeddings whose factor multiplies the context. Source: transformers, modeling_rope_utils."""


def context_length(folder: Path) -> int | None:
    """The model's context in tokens, from its config.json; None when the file does not say."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # the checks of the model name what is wrong with it
    text = config.get("text_config") or config
    length = next((text[name] for name in NAMES if isinstance(text.get(name), int)), None)
    return None if length is None else int(length * _factor(text))


def _factor(config: dict[str, Any]) -> float:
    rope = next((found for name in ROPE if isinstance(found := config.get(name), dict)), {})
    if (rope.get("rope_type") or rope.get("type")) not in STRETCHED:
        return 1.0
    return max(1.0, float(rope.get("factor") or 1.0))
