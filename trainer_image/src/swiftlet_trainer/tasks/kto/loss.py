"""The losses of single answers, as functions of log-ratios: fp32, (G,), for the G rows of a batch."""

import torch
from swiftlet.api.v1alpha1.tasks.kto import KtoTask


def loss(ratios: torch.Tensor, is_good: torch.Tensor, reference_point: torch.Tensor, task: KtoTask) -> torch.Tensor:
    """Of each row. ratios: log p of the answer less log p under the reference. is_good: bool.

    reference_point: z0, a scalar, 0 for apo_zero_unpaired. Sources: arXiv:2402.01306, equations 7 and 8 (as 1 less the
    value, which TRL takes as well); arXiv:2408.06266, equation 7, of single answers.
    """
    ahead = task.beta * (ratios - reference_point)
    weight = torch.where(is_good, task.desirable_weight, task.undesirable_weight)
    return weight * torch.sigmoid(torch.where(is_good, -ahead, ahead))
