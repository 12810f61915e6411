"""Attention of rows that share a sequence, each by itself, on a CPU.

A block-diagonal mask has the whole square of a sequence computed and most of it thrown away, and keeps PyTorch from its
causal kernel. On a CPU, where a call costs little, the kernel is called once for each row instead. Rows then need no
padding either: a batch is one sequence.
"""

from itertools import pairwise
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from swiftlet_trainer.training.attention_options import require_plain

FORWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
SHORT_ROW = 512
"""Tokens up to which the backward pass is computed in fp32. On an EPYC with avx512_bf16, bf16 took 1.6 times as long at
110 tokens, casts included, as long at 500, and 0.7 times as long at 2,048."""


def row_by_row(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    position_ids: torch.Tensor | None = None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each row. Returns (sequences, length, heads, size), None.

    query, key, value: (sequences, heads, length, size), key and value of fewer heads where these are shared.
    position_ids: (sequences or 1, length), 0 where a row begins. scaling: of the scores, 1/sqrt(size) when absent.
    Raises ValueError without position_ids, since it could not tell rows apart, and for what it does not compute.
    """
    if position_ids is None:
        raise ValueError("this architecture does not hand position_ids on to its attention")
    rows = row_bounds(position_ids.expand(len(query), -1))
    require_plain(module, attention_mask, options, max(tokens.stop - tokens.start for _, tokens in rows))
    found: torch.Tensor = _RowByRow.apply(query, key, value, rows, scaling)  # type: ignore[no-untyped-call]
    return found.transpose(1, 2), None


def row_bounds(position_ids: torch.Tensor) -> list[tuple[slice, slice]]:
    """Sequence and tokens of each row."""
    return [
        (slice(number, number + 1), slice(start, end))
        for number, positions in enumerate(position_ids)
        for start, end in pairwise([*positions.eq(0).nonzero().flatten().tolist(), len(positions)])
    ]


class _RowByRow(torch.autograd.Function):
    """PyTorch's CPU kernel for each row, its results written where they belong.

    Autograd would make a gradient as large as the whole sequence for every row, and add them up. And for short rows
    the kernel's backward pass is slow in bf16: see SHORT_ROW.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        rows: list[tuple[slice, slice]],
        scaling: float | None,
    ) -> torch.Tensor:
        # The next layer's order, (sequences, length, heads, size), so that nobody has to copy it.
        out = torch.empty_like(query.transpose(1, 2), memory_format=torch.contiguous_format).transpose(1, 2)
        sums = []
        for sequence, tokens in rows:
            parts = [whole[sequence, :, tokens] for whole in (query, key, value)]
            out[sequence, :, tokens], each = FORWARD(*parts, is_causal=True, scale=scaling)
            sums.append(each)
        ctx.save_for_backward(query, key, value, out, *sums)
        ctx.rows, ctx.scaling = rows, scaling
        return out

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, out, *sums = ctx.saved_tensors
        gradients = [torch.empty_like(whole) for whole in (query, key, value)]
        for (sequence, tokens), each in zip(ctx.rows, sums, strict=True):
            kind = torch.float32 if tokens.stop - tokens.start <= SHORT_ROW else query.dtype
            parts = [whole[sequence, :, tokens].to(kind) for whole in (grad, query, key, value, out)]
            found = BACKWARD(*parts, each, 0.0, True, scale=ctx.scaling)
            for whole, part in zip(gradients, found, strict=True):
                whole[sequence, :, tokens] = part
        return (*gradients, None, None)
