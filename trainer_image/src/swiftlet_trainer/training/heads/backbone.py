"""The pass that all heads begin with."""

from typing import Any

import torch


def hidden_states(
    backbone: Any,
    input_ids: torch.Tensor,
    position_ids: torch.Tensor | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
) -> torch.Tensor:
    """Of all positions of a batch, one row after the other: (rows x width, hidden). For the arguments see
    collate.Collator."""
    known = {} if cu_seq_lens_q is None else {"cu_seq_lens_q": cu_seq_lens_q, "max_length_q": max_length_q}
    passed = backbone(input_ids=input_ids, position_ids=position_ids, use_cache=False, **known)
    found: torch.Tensor = passed.last_hidden_state
    return found.reshape(-1, found.shape[-1])
