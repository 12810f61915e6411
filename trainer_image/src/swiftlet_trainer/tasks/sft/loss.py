"""The loss of supervised fine-tuning."""

import torch

from swiftlet_trainer.training.heads.tokens import TokenScores


def dft(scores: TokenScores) -> torch.Tensor:
    """-p log p of the labelled tokens, p without a gradient, each times its weight, summed: fp32 scalar.

    Source: dynamic fine-tuning, arXiv:2508.05629, equation 9.
    """
    each = scores.logprob.detach().exp() * scores.logprob
    return -(each if scores.weight is None else scores.weight * each).sum()


def nll(scores: TokenScores) -> torch.Tensor:
    """-log p of the labelled tokens, each times its weight, summed: fp32 scalar, in nats."""
    return -(scores.logprob if scores.weight is None else scores.weight * scores.logprob).sum()
