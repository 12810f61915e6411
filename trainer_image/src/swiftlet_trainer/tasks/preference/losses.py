"""Losses of how far one answer is ahead of the other that several methods share. All tensors are fp32, (P,)."""

import torch
from torch.nn.functional import logsigmoid


def smoothed(logits: torch.Tensor, smoothing: float) -> torch.Tensor:
    """-log sigmoid of the logits; `smoothing` of the pairs are taken to be the wrong way round.

    Source: arXiv:2305.18290, equation 7; arXiv:2401.08417, equation 3; arXiv:2405.14734, equation 6.
    """
    return -(1 - smoothing) * logsigmoid(logits) - smoothing * logsigmoid(-logits)


def hinge(logits: torch.Tensor) -> torch.Tensor:
    """SLiC, arXiv:2305.10425."""
    return torch.relu(1 - logits)


def ipo(margin: torch.Tensor, beta: float) -> torch.Tensor:
    """arXiv:2310.12036, equation 17, of means over tokens, as its authors use it."""
    return (margin - 1 / (2 * beta)) ** 2
