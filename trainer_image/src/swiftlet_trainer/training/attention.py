"""Attention of packed rows, each by itself.

A block-diagonal mask has the whole square of a sequence computed and most of it thrown away, and keeps PyTorch from its
causal kernel. On a CPU, where a call costs little, the kernel is called once for each row instead.
"""

from itertools import pairwise
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface

ROW_BY_ROW = "row_by_row"
"""Name of the implementation, as a model's config has it. Source: transformers, "Attention Interface"."""
PROBE_ROWS = (5, 3)
TOLERANCE = 0.03
"""bf16 keeps 8 bits; rows that see each other are off by far more."""
WINDOWS = ("sliding_window", "attention_chunk_size")
"""Settings of a config that let a token see so many others at most."""


def row_by_row(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    position_ids: torch.Tensor | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each row. Returns (sequences, length, heads, size), None.

    query, key, value: (sequences, heads, length, size). position_ids: (sequences or 1, length), 0 where a row begins.
    Raises ValueError without position_ids, since it could not tell rows apart.
    """
    if position_ids is None:
        raise ValueError("this architecture does not hand position_ids on to its attention")
    if len(position_ids) != len(query):
        position_ids = position_ids.expand(len(query), -1)
    sequences = []
    for number, positions in enumerate(position_ids):
        one = slice(number, number + 1)
        starts = [*positions.eq(0).nonzero().flatten().tolist(), len(positions)]
        rows = [
            sdpa_attention_forward(
                module, query[one, :, start:end], key[one, :, start:end], value[one, :, start:end], None, **options
            )[0]
            for start, end in pairwise(starts)
        ]
        sequences.append(torch.cat(rows, dim=1))
    return torch.cat(sequences), None


AttentionInterface.register(ROW_BY_ROW, row_by_row)
# The kernel is causal by itself, and no other mask is needed.
AttentionMaskInterface.register(ROW_BY_ROW, lambda *_args, **_kwargs: None)


@torch.no_grad()
def use_row_by_row(model: Any, longest: int) -> bool:
    """Have `model` attend row by row where that means what its own attention means; whether it now does.

    model: not yet wrapped, its weights whole. longest: tokens of the longest row. Architectures that hand no
    position_ids to their attention, that cap scores or that have windows shorter than a row stay as they are.
    """
    config = model.config.get_text_config()
    if any((getattr(config, name, None) or longest) < longest for name in WINDOWS):
        return False
    tokens = torch.arange(sum(PROBE_ROWS)).remainder(config.vocab_size).unsqueeze(0)
    positions = torch.cat([torch.arange(length) for length in PROBE_ROWS]).unsqueeze(0)
    own, training = model.config._attn_implementation, model.training
    model.eval()
    try:
        expected = _hidden(model, tokens, positions)
        model.set_attn_implementation(ROW_BY_ROW)
        found = _hidden(model, tokens, positions)
        same = torch.allclose(expected, found, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    except ValueError:
        same = False
    finally:
        model.train(training)
    if not same:
        model.set_attn_implementation(own)
    return same


def _hidden(model: Any, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = model.base_model(input_ids=tokens, position_ids=positions, use_cache=False).last_hidden_state
    return found.float()
