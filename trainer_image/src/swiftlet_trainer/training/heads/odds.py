"""Scores of sequences by a language model: the log-odds of two tokens behind each."""

import types
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from swiftlet_trainer.training.heads.backbone import hidden_states
from swiftlet_trainer.training.heads.score import SequenceScores
from swiftlet_trainer.training.logits import logits_of


@dataclass(frozen=True)
class OddsHead:
    """Ids of the two tokens."""

    positive: int
    negative: int

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        """log p(positive) - log p(negative), fp32, (texts, 1). logits: (texts, vocabulary). Source: arXiv:2506.05176,
        section 2, whose score is the sigmoid of it."""
        positive, negative = (logits[:, [token]].float() for token in (self.positive, self.negative))
        return positive - negative


def attach_odds(model: nn.Module, head: OddsHead) -> None:
    """Make `model(input_ids, bounds=...)` return the scores of the batch's sequences, as SequenceScores.

    model: a causal language model of transformers, before it is wrapped by PEFT, DDP or DeepSpeed. bounds: where each
    sequence begins and ends, see collate.Collator.
    """

    def forward(
        self: Any,
        input_ids: torch.Tensor,
        bounds: torch.Tensor,
        position_ids: torch.Tensor | None = None,
        cu_seq_lens_q: torch.Tensor | None = None,
        max_length_q: int | None = None,
        **_unused: Any,
    ) -> SequenceScores:
        hidden = hidden_states(self.base_model, input_ids, position_ids, cu_seq_lens_q, max_length_q)
        return SequenceScores(head(logits_of(self)(hidden.index_select(0, bounds[:, 1] - 1))))

    model.forward = types.MethodType(forward, model)  # type: ignore[method-assign]
