"""From log-probabilities of tokens to those of answers, pair by pair."""

from dataclasses import dataclass

import torch

from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores

FIGURES = ("rewards_chosen", "rewards_rejected", "rewards_margins", "rewards_accuracies")
"""What is told of pairs beside the loss: fields of swiftlet.api.v1alpha1.progress.Progress."""


@dataclass(frozen=True)
class Answers:
    """Of the P pairs of a batch: fp32, (P,) each."""

    chosen: torch.Tensor
    rejected: torch.Tensor

    @property
    def margin(self) -> torch.Tensor:
        """By how much the chosen ones are ahead."""
        return self.chosen - self.rejected


def pairs(of_sequences: torch.Tensor) -> Answers:
    """(2P,), the chosen one of each pair before the other, as rows have them."""
    chosen, rejected = of_sequences.view(-1, 2).unbind(-1)
    return Answers(chosen, rejected)


def summed(of_tokens: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Over the labelled tokens of each sequence: (N,) to (sequences,)."""
    found = of_tokens.new_zeros(len(batch["group"]))
    return found.index_add(0, batch["sequence"], of_tokens)


def lengths(batch: Batch) -> torch.Tensor:
    """Labelled tokens of each sequence: fp32, (sequences,)."""
    return torch.bincount(batch["sequence"], minlength=len(batch["group"])).float()


def means(scores: TokenScores, batch: Batch) -> Answers:
    """Log-probabilities per token."""
    return pairs(summed(scores.logprob, batch) / lengths(batch))


def figures(rewards: Answers) -> dict[str, torch.Tensor]:
    """Sums over pairs, by the names of FIGURES."""
    margin = rewards.margin.detach()
    found = (rewards.chosen.detach(), rewards.rejected.detach(), margin, margin.gt(0).float())
    return {name: each.sum() for name, each in zip(FIGURES, found, strict=True)}
