"""Vectors of sequences: one of the hidden states of each, or their mean."""

import types
from dataclasses import dataclass
from typing import Any

import torch
from swiftlet.api.v1alpha1.tasks.embedding import Pooling
from torch import nn
from torch.nn.functional import normalize
from transformers.utils import ModelOutput

from swiftlet_trainer.training.collate import tokens_of
from swiftlet_trainer.training.heads.backbone import hidden_states


@dataclass(frozen=True)
class PoolHead:
    """pooling: as sentence-transformers' Pooling has it. normalize: whether vectors have the length 1."""

    pooling: Pooling = "last"
    normalize: bool = True


@dataclass
class SequenceVectors(ModelOutput):  # type: ignore[misc]
    """What a forward pass returns."""

    vectors: torch.Tensor
    """fp32, (sequences, hidden)."""


def attach_vectors(model: nn.Module, head: PoolHead) -> None:
    """Make `model(input_ids, bounds=...)` return the vectors of the batch's sequences, as SequenceVectors.

    model: a backbone of transformers, before it is wrapped by PEFT, DDP or DeepSpeed. bounds: where each sequence
    begins and ends, see collate.Collator.
    """

    own = model.forward

    def forward(
        _self: Any,
        input_ids: torch.Tensor,
        bounds: torch.Tensor,
        position_ids: torch.Tensor | None = None,
        cu_seq_lens_q: torch.Tensor | None = None,
        max_length_q: int | None = None,
        **_unused: Any,
    ) -> SequenceVectors:
        hidden = hidden_states(own, input_ids, position_ids, cu_seq_lens_q, max_length_q)
        return SequenceVectors(pooled(hidden, bounds, head))

    model.forward = types.MethodType(forward, model)  # type: ignore[method-assign]


def pooled(hidden: torch.Tensor, bounds: torch.Tensor, head: PoolHead) -> torch.Tensor:
    """One vector of each sequence, fp32, (sequences, hidden). hidden: of all positions, (positions, hidden). bounds:
    see attach_vectors."""
    if head.pooling == "mean":
        found = _means(hidden, bounds)
    else:
        found = hidden.index_select(0, bounds[:, 0] if head.pooling == "cls" else bounds[:, 1] - 1).float()
    return normalize(found, dim=-1) if head.normalize else found


def _means(hidden: torch.Tensor, bounds: torch.Tensor) -> torch.Tensor:
    """Of the tokens of each sequence, summed in fp32."""
    sequence, place = tokens_of(bounds)
    chosen = hidden.index_select(0, bounds[sequence, 0] + place).float()
    summed = chosen.new_zeros(len(bounds), hidden.shape[-1]).index_add(0, sequence, chosen)
    return summed / bounds.diff()
