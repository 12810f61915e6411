"""The loss of supervised fine-tuning."""

import torch

from swiftlet_trainer.training.heads.tokens import TokenScores


def nll(scores: TokenScores) -> torch.Tensor:
    """-log p of the labelled tokens, each times its weight, summed: fp32 scalar, in nats."""
    return -(scores.logprob if scores.weight is None else scores.weight * scores.logprob).sum()
