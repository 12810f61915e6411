"""What an architecture asks of its attention beside queries, keys and values."""

from typing import Any

import torch

SAID_OTHERWISE = frozenset(
    {"cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k", "use_cache", "num_items_in_batch", "scaling"}
)
"""Options that change nothing in a causal pass: what they tell is known from elsewhere."""
WINDOW = "sliding_window"


def require_plain(module: torch.nn.Module, mask: Any, options: dict[str, Any], longest: int) -> None:
    """Raise ValueError where attention is to be more than causal and scaled: with capped scores, sinks, dropout, a
    mask, a window shorter than the longest row, or anything that is not known here.

    options: what was handed on beside the tensors; None, False and 0 ask for nothing.
    """
    asked = {name: value for name, value in options.items() if name not in SAID_OTHERWISE and _asks(value)}
    told = options.get("is_causal")
    asked.pop("is_causal", None)
    if not (getattr(module, "is_causal", True) if told is None else told):
        asked["is_causal"] = False
    window = asked.pop(WINDOW, None)
    if window is not None and window < longest:
        asked[WINDOW] = window
    if mask is not None:
        asked["attention_mask"] = mask
    if asked:
        raise ValueError(f"this kernel for attention knows nothing of {', '.join(sorted(asked))}")


def _asks(value: Any) -> bool:
    return isinstance(value, torch.Tensor) or bool(value)
