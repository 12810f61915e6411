"""Attention of rows that share a sequence, each by itself, on a GPU.

One call of flash attention for all rows: it is told where they begin (Dao 2023, arXiv:2307.08691). Rows then need no
mask and no padding.
"""

from typing import Any

import torch
from torch.nn.attention.varlen import varlen_attn

from swiftlet_trainer.training.attention_options import require_plain
from swiftlet_trainer.training.collate import bounds

CAUSAL = (-1, 0)
"""Tokens seen to the left, all of them, and to the right. Source: torch.nn.attention.varlen."""


def varlen(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    position_ids: torch.Tensor | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each row. Returns (1, length, heads, size), None.

    query, key, value: (1, heads, length, size), fp16 or bf16 on CUDA; key and value of fewer heads where these are
    shared. cu_seq_lens_q: (rows + 1,), int32, where rows begin and the last one ends; max_length_q: tokens of the
    longest one; both found from position_ids, (1, length), 0 where a row begins, when absent. scaling: of the scores,
    1/sqrt(size) when absent. Raises ValueError without either, since it could not tell rows apart, and for what it does
    not compute.
    """
    if cu_seq_lens_q is None or max_length_q is None:
        if position_ids is None:
            raise ValueError("this architecture does not hand position_ids on to its attention")
        cu_seq_lens_q, max_length_q = bounds(position_ids)
    require_plain(module, attention_mask, options, max_length_q)
    found = varlen_attn(
        *(whole.transpose(1, 2).squeeze(0) for whole in (query, key, value)),
        cu_seq_lens_q,
        cu_seq_lens_q,
        max_length_q,
        max_length_q,
        scale=scaling,
        window_size=CAUSAL,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return found.unsqueeze(0), None
