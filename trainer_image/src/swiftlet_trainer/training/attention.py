"""Attention of rows that share a sequence, each by itself.

A block-diagonal mask has the whole square of a sequence computed and most of it thrown away, and keeps PyTorch from its
causal kernel. On a CPU, where a call costs little, the kernel is called once for each row instead. Rows then need no
padding either: a batch is one sequence.
"""

from itertools import pairwise
from typing import Any

import torch
from torch.autograd.function import once_differentiable
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

ROW_BY_ROW = "row_by_row"
"""Name of the implementation, as a model's config has it. Source: transformers, "Attention Interface"."""
PROBE_ROWS = (5, 3)
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.03}
"""bf16 keeps 8 bits; rows that see each other are off by far more."""
FORWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
SHORT_ROW = 512
"""Tokens up to which the backward pass is computed in fp32. On an EPYC with avx512_bf16, bf16 took 1.6 times as long at
110 tokens, casts included, as long at 500, and 0.7 times as long at 2,048."""
WINDOWS = ("sliding_window", "attention_chunk_size")
"""Settings of a config that let a token see so many others at most."""


def row_by_row(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    position_ids: torch.Tensor | None = None,
    scaling: float | None = None,
    **_options: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each row. Returns (sequences, length, heads, size), None.

    query, key, value: (sequences, heads, length, size), key and value of fewer heads where these are shared.
    position_ids: (sequences or 1, length), 0 where a row begins. scaling: of the scores, 1/sqrt(size) when absent.
    Raises ValueError without position_ids, since it could not tell rows apart.
    """
    if position_ids is None:
        raise ValueError("this architecture does not hand position_ids on to its attention")
    rows = _rows(position_ids.expand(len(query), -1))
    found: torch.Tensor = _RowByRow.apply(query, key, value, rows, scaling)  # type: ignore[no-untyped-call]
    return found.transpose(1, 2), None


def _rows(position_ids: torch.Tensor) -> list[tuple[slice, slice]]:
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


AttentionInterface.register(ROW_BY_ROW, row_by_row)
# The kernel is causal by itself, and no other mask is needed.
AttentionMaskInterface.register(ROW_BY_ROW, lambda *_args, **_kwargs: None)


@torch.no_grad()
def use_row_by_row(model: Any, longest: int) -> bool:
    """Have `model` attend row by row where rows then mean what they mean alone; whether it now does.

    model: not yet wrapped, its weights whole. longest: tokens of the longest row. Architectures that hand no
    position_ids to their attention, that cap scores, drop some, have windows shorter than a row, or mix tokens outside
    of attention too, stay as they are.
    """
    config = model.config.get_text_config()
    if getattr(config, "attention_dropout", 0.0):
        return False
    if any((getattr(config, name, None) or longest) < longest for name in WINDOWS):
        return False
    own = model.config._attn_implementation
    alone = _alone(model)
    try:
        model.set_attn_implementation(ROW_BY_ROW)
        # Older architectures warn and keep their own.
        same = model.config._attn_implementation == ROW_BY_ROW and _agree(model, alone, _together(model))
    except (ValueError, RuntimeError):  # the latter from the kernel: heads of a size that it does not know
        same = False
    if not same:
        model.set_attn_implementation(own)
    return same


@torch.no_grad()
def packing_problem(model: Any) -> str | None:
    """Why packed rows would not mean to `model` what they mean alone, if they would not.

    model: not yet wrapped, its weights whole. Recurrent and convolutional layers run on from one row into the next.
    """
    if _agree(model, _alone(model), _together(model)):
        return None
    return (
        f"template.packing: {type(model).__name__} lets the rows of a sequence see each other, and would learn from "
        "texts that nobody wrote; set packing: false"
    )


def _alone(model: Any) -> torch.Tensor:
    """Hidden states of the rows that are tried, each in a pass of its own: (1, tokens of all, hidden), fp32."""
    return torch.cat(
        [_hidden(model, *(whole[:, tokens] for whole in _probe(model))) for _, tokens in _rows(POSITIONS)], 1
    )


def _together(model: Any) -> torch.Tensor:
    """The same with all rows in one sequence."""
    return _hidden(model, *_probe(model))


POSITIONS = torch.cat([torch.arange(length) for length in PROBE_ROWS]).unsqueeze(0)


def _probe(model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens and positions of the rows that are tried, (1, tokens of all)."""
    tokens = torch.arange(sum(PROBE_ROWS)).remainder(model.config.get_text_config().vocab_size)
    return tokens.unsqueeze(0), POSITIONS


def _hidden(model: Any, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    training = model.training
    model.eval()
    try:
        passed = model.base_model(input_ids=tokens, position_ids=positions, use_cache=False)
    finally:
        model.train(training)
    found: torch.Tensor = passed.last_hidden_state
    return found.float()


def _agree(model: Any, alone: torch.Tensor, together: torch.Tensor) -> bool:
    tolerance = TOLERANCE[model.dtype]
    return torch.allclose(alone, together, rtol=tolerance, atol=tolerance, equal_nan=True)
