"""Rows to tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

IGNORED = -100
"""Label of a token that is not learnt. Source: torch.nn.functional.cross_entropy."""


@dataclass(frozen=True)
class Collator:
    """Pads rows on the right and shifts labels, so that `labels[i]` is what position `i` has to predict.

    No attention mask is made: attention is causal and padding comes last, so no real token sees it. A packed row gets
    `position_ids` that restart with each of its parts; transformers makes the block-diagonal mask from them
    (masking_utils.find_packed_sequence_indices).
    """

    pad_token_id: int
    packed: bool = False
    padding_free: bool = False
    """All rows in one sequence, without padding, for an attention that keeps them apart by their position_ids."""

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """input_ids, labels and, when packed or padding-free, position_ids: int64 tensors of shape (rows, longest); of
        shape (1, tokens) when padding-free. Then there are also cu_seq_lens_q, int32, (rows + 1,), where rows begin and
        the last one ends, and max_length_q, the tokens of the longest row (transformers' FlashAttentionKwargs)."""
        if self.padding_free:
            return _joined(rows)
        width = max(len(row["input_ids"]) for row in rows)
        batch = {
            "input_ids": padded([row["input_ids"] for row in rows], width, self.pad_token_id),
            "labels": padded([_shifted(row) for row in rows], width, IGNORED),
        }
        if self.packed:
            batch["position_ids"] = torch.stack([_restarting(row["seq_lengths"], width) for row in rows])
        return batch


def bounds(position_ids: torch.Tensor) -> tuple[torch.Tensor, int]:
    """Where the rows of a sequence begin and the last one ends, int32, (rows + 1,); and tokens of the longest.

    position_ids: (length,) or (1, length), 0 where a row begins.
    """
    starts = position_ids.flatten().eq(0).nonzero().flatten()
    ends = torch.cat([starts, starts.new_tensor([position_ids.numel()])]).to(torch.int32)
    return ends, int(ends.diff().max())


def _joined(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    parts = [length for row in rows for length in row.get("seq_lengths") or [len(row["input_ids"])]]
    batch = {
        "input_ids": torch.tensor([token for row in rows for token in row["input_ids"]], dtype=torch.long),
        "labels": torch.tensor([label for row in rows for label in _shifted(row)], dtype=torch.long),
        "position_ids": torch.cat([torch.arange(length) for length in parts]),
    }
    ends, longest = bounds(batch["position_ids"])
    joined = {name: tokens.unsqueeze(0) for name, tokens in batch.items()}
    return {**joined, "cu_seq_lens_q": ends, "max_length_q": longest}


def _shifted(row: Mapping[str, Any]) -> list[int]:
    """Labels moved one to the left; the last token of a part predicts nothing, above all not the next part."""
    shifted = [*row["labels"][1:], IGNORED]
    end = 0
    for length in row.get("seq_lengths") or ():
        end += length
        shifted[end - 1] = IGNORED
    return shifted


def padded(rows: Sequence[Sequence[int]], width: int, fill: int) -> torch.Tensor:
    """Rows of up to `width` numbers, int64, (rows, width), with `fill` behind them."""
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows], dtype=torch.long)


def _restarting(lengths: Sequence[int], width: int) -> torch.Tensor:
    """0, 1, 2, … anew for each part; the padding at the end is one more part."""
    rest = width - sum(lengths)
    return torch.cat([torch.arange(length) for length in (*lengths, rest)])
