"""The loss of reward models."""

import torch
from torch.nn.functional import logsigmoid

from swiftlet_trainer.tasks.preference.scores import Answers


def loss(rewards: Answers, margin: torch.Tensor, center_coefficient: float | None = None) -> torch.Tensor:
    """-log p of the preference under Bradley and Terry's model, of each pair, and a pull of its rewards towards 0.

    All tensors are fp32, (P,). margin: by how much the chosen answer is to be ahead. Sources: arXiv:2203.02155,
    equation 1; with a margin arXiv:2307.09288, equation 2; the pull arXiv:2312.09244, equation 2.
    """
    found = -logsigmoid(rewards.margin - margin)
    if center_coefficient is None:
        return found
    return found + center_coefficient * (rewards.chosen + rewards.rejected).square()
