"""Scores of sequences by a language model: the log-odds of two tokens behind each."""

from dataclasses import dataclass

import torch
from torch import nn

from swiftlet_trainer.training.heads.score import attach_scores
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
    """As attach_scores, of a causal language model."""
    attach_scores(model, lambda own, hidden: head(logits_of(own)(hidden)))
