"""Attention of rows that share a sequence, each by itself, on a CPU.

A block-diagonal mask has the whole square of a sequence computed and most of it thrown away, and keeps PyTorch from its
causal kernel. On a CPU, where a call costs little, the kernel is called once for each row instead. Rows then need no
padding either: a batch is one sequence.

What several rows begin with need not be there more than once, either: one row has it, and the others go on from it
(prefix sharing, Wang and Hegde 2024, arXiv:2410.20305). Position ids tell that as they tell where rows begin.
"""

from typing import Any, NamedTuple

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
    position_ids: (sequences or 1, length), see row_parts. scaling: of the scores, 1/sqrt(size) when absent. Raises
    ValueError without position_ids, since it could not tell rows apart, and for what it does not compute.
    """
    if position_ids is None:
        raise ValueError("this architecture does not hand position_ids on to its attention")
    parts = row_parts(position_ids.expand(len(query), -1))
    require_plain(module, attention_mask, options, max(part.length for part in parts))
    found: torch.Tensor = _RowByRow.apply(query, key, value, parts, scaling)  # type: ignore[no-untyped-call]
    return found.transpose(1, 2), None


class Part(NamedTuple):
    """Tokens of a row that lie one behind the other: all of them, or those that it has for itself."""

    sequence: slice
    begun: slice
    """First tokens of another row in the sequence, which are this one's too; none where the row is whole."""
    own: slice

    @property
    def shared(self) -> int:
        return int(self.begun.stop - self.begun.start)

    @property
    def length(self) -> int:
        """Tokens of the row."""
        return self.shared + int(self.own.stop - self.own.start)

    def seen(self, whole: torch.Tensor) -> torch.Tensor:
        """The row's tokens of (sequences, heads, length, size)."""
        own = whole[self.sequence, :, self.own]
        return torch.cat([whole[self.sequence, :, self.begun], own], 2) if self.shared else own

    def add(self, gradient: torch.Tensor, found: torch.Tensor) -> None:
        """What was found of the row's tokens to `gradient`, of all rows. Whoever has tokens that others share is added
        before those."""
        gradient[self.sequence, :, self.own] = found[:, :, self.shared :]
        if self.shared:
            gradient[self.sequence, :, self.begun] += found[:, :, : self.shared]

    def mask(self, dtype: torch.dtype) -> torch.Tensor | None:
        """What to add to the scores of the part's own tokens, (own, length); None where causal is all there is."""
        if not self.shared:
            return None
        scores = torch.full((self.length - self.shared, self.length), float("-inf"), dtype=dtype)
        return scores.triu_(self.shared + 1)


def row_parts(position_ids: torch.Tensor) -> list[Part]:
    """Of sequences with position_ids, (sequences, length). These are 0, 1, 2, … in a row; where they go back to p > 0,
    what follows goes on from the first p tokens of the last row that began at 0, see collate.shared_tokens."""
    found = []
    for number, positions in enumerate(position_ids):
        starts = positions.diff(prepend=positions[:1]).ne(1).nonzero().flatten()
        ends, row = [*starts[1:].tolist(), len(positions)], 0
        for start, end, first in zip(starts.tolist(), ends, positions[starts].tolist(), strict=True):
            row = row if first else start
            found.append(Part(slice(number, number + 1), slice(row, row + first), slice(start, end)))
    return found


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
        parts: list[Part],
        scaling: float | None,
    ) -> torch.Tensor:
        # The next layer's order, (sequences, length, heads, size), so that nobody has to copy it.
        out = torch.empty_like(query.transpose(1, 2), memory_format=torch.contiguous_format).transpose(1, 2)
        sums = []
        for part in parts:
            asked, mask = query[part.sequence, :, part.own], part.mask(query.dtype)
            found, each = FORWARD(
                asked, part.seen(key), part.seen(value), is_causal=mask is None, attn_mask=mask, scale=scaling
            )
            out[part.sequence, :, part.own] = found
            sums.append(each)
        ctx.save_for_backward(query, key, value, out, *sums)
        ctx.parts, ctx.scaling = parts, scaling
        return out

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, out, *sums = ctx.saved_tensors
        of_query, *of_seen = (torch.empty_like(whole) for whole in (query, key, value))
        for part, each in zip(ctx.parts, sums, strict=True):
            kind = torch.float32 if part.length <= SHORT_ROW else query.dtype
            given, asked, said = (whole[part.sequence, :, part.own].to(kind) for whole in (grad, query, out))
            seen, mask = [part.seen(whole).to(kind) for whole in (key, value)], part.mask(kind)
            own, *found = BACKWARD(
                given, asked, *seen, said, each, 0.0, mask is None, attn_mask=mask, scale=ctx.scaling
            )
            of_query[part.sequence, :, part.own] = own
            for whole, one in zip(of_seen, found, strict=True):
                part.add(whole, one)
        return (of_query, *of_seen, None, None)
