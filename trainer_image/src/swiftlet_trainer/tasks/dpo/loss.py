"""The losses of DPO and what came after it, as functions of log-ratios.

All tensors are fp32, (P,), for the P pairs of a batch. Log-ratio: log p of an answer less log p under the reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log, log1p

import torch
from swiftlet.api.tasks.dpo import DpoLoss, DpoTask
from torch.nn.functional import logsigmoid

from swiftlet_trainer.tasks.preference.losses import hinge, ipo, smoothed
from swiftlet_trainer.tasks.preference.scores import Answers

LARGEST_EXPONENT = 80.0
"""exp of it is finite in fp32."""


@dataclass(frozen=True)
class Compared:
    """What a loss is a function of."""

    ratios: Answers
    """Log-ratios."""
    scores: Answers
    """Of the log-ratios, by the divergence from the reference; the same for reverse_kl."""
    tokens: Answers
    """How many each answer has."""
    chosen_nll: torch.Tensor
    """-log p of the chosen answers per token, in nats."""


Loss = Callable[[Compared, DpoTask], torch.Tensor]


def divergent(ratios: Answers, task: DpoTask) -> Answers:
    """f'(t) of the ratios t = exp(log-ratio), up to a constant. Source: arXiv:2309.16240, table 1."""
    return Answers(_of_divergence(ratios.chosen, task), _of_divergence(ratios.rejected, task))


def _of_divergence(ratio: torch.Tensor, task: DpoTask) -> torch.Tensor:
    if task.f_divergence_type == "forward_kl":
        return 1 - torch.exp(-ratio)
    if task.f_divergence_type == "js_divergence":
        return log(2) + logsigmoid(ratio)
    power = task.f_alpha_divergence_coef - 1
    if task.f_divergence_type == "reverse_kl" or abs(power) < 1e-6:
        return ratio
    return torch.expm1((power * ratio).clamp(max=LARGEST_EXPONENT)) / power


def _sigmoid(of: Compared, task: DpoTask) -> torch.Tensor:
    """arXiv:2305.18290, equation 7; with labelSmoothing, conservative DPO."""
    return smoothed(task.beta * of.scores.margin, task.label_smoothing)


def _hinge(of: Compared, task: DpoTask) -> torch.Tensor:
    return hinge(task.beta * of.scores.margin)


def _ipo(of: Compared, task: DpoTask) -> torch.Tensor:
    return ipo(_per_token(of).margin, task.beta)


def _exo_pair(of: Compared, task: DpoTask) -> torch.Tensor:
    """arXiv:2402.00856, equation 16: KL of the model's choice of two to that of the labels."""
    logits = task.beta * of.scores.margin
    chosen, rejected = logsigmoid(logits), logsigmoid(-logits)
    smoothing = task.label_smoothing
    return chosen.exp() * (chosen - log1p(-smoothing)) + rejected.exp() * (rejected - log(smoothing))


def _nca_pair(of: Compared, task: DpoTask) -> torch.Tensor:
    """arXiv:2402.05369."""
    chosen, rejected = task.beta * of.ratios.chosen, task.beta * of.ratios.rejected
    return -logsigmoid(chosen) - 0.5 * logsigmoid(-chosen) - 0.5 * logsigmoid(-rejected)


def _robust(of: Compared, task: DpoTask) -> torch.Tensor:
    """arXiv:2403.00409: unbiased where labelSmoothing of the pairs are the wrong way round."""
    logits, wrong = task.beta * of.scores.margin, task.label_smoothing
    return (wrong * logsigmoid(-logits) - (1 - wrong) * logsigmoid(logits)) / (1 - 2 * wrong)


def _bco_pair(of: Compared, task: DpoTask) -> torch.Tensor:
    """arXiv:2404.04656, without its moving baseline, as TRL has it."""
    return -logsigmoid(task.beta * of.ratios.chosen) - logsigmoid(-task.beta * of.ratios.rejected)


def _sppo_hard(of: Compared, task: DpoTask) -> torch.Tensor:
    """arXiv:2405.00675, equation 4.7, with 1 for the chosen answer and 0 for the other."""
    return (of.ratios.chosen - 0.5 / task.beta) ** 2 + (of.ratios.rejected + 0.5 / task.beta) ** 2


def _apo_zero(of: Compared, task: DpoTask) -> torch.Tensor:
    """arXiv:2408.06266, equation 7."""
    return 1 - torch.sigmoid(task.beta * of.ratios.chosen) + torch.sigmoid(task.beta * of.ratios.rejected)


def _apo_down(of: Compared, task: DpoTask) -> torch.Tensor:
    """arXiv:2408.06266, equation 8."""
    return torch.sigmoid(task.beta * of.ratios.chosen) + 1 - torch.sigmoid(task.beta * of.ratios.margin)


def _discopop(of: Compared, task: DpoTask) -> torch.Tensor:
    """arXiv:2406.08414, equation 5."""
    logits = task.beta * of.scores.margin
    mixture = torch.sigmoid(logits / task.discopop_tau)
    return -logsigmoid(logits) * (1 - mixture) + torch.exp(-logits) * mixture


def _sft(of: Compared, _task: DpoTask) -> torch.Tensor:
    return of.chosen_nll


def _sigmoid_norm(of: Compared, task: DpoTask) -> torch.Tensor:
    """sigmoid of means over tokens (Tulu 3, arXiv:2411.15124, section 5)."""
    return -logsigmoid(task.beta * _per_token(of).margin)


LOSSES: Mapping[DpoLoss, Loss] = {
    "sigmoid": _sigmoid,
    "hinge": _hinge,
    "ipo": _ipo,
    "exo_pair": _exo_pair,
    "nca_pair": _nca_pair,
    "robust": _robust,
    "bco_pair": _bco_pair,
    "sppo_hard": _sppo_hard,
    "apo_zero": _apo_zero,
    "apo_down": _apo_down,
    "discopop": _discopop,
    "sft": _sft,
    "sigmoid_norm": _sigmoid_norm,
}


def loss(of: Compared, task: DpoTask) -> torch.Tensor:
    """Of each pair: the task's losses by their weights, without the term of rpoAlpha."""
    weights = task.loss_weights or [1.0] * len(task.loss_types)
    parts = [weight * LOSSES[name](of, task) for name, weight in zip(task.loss_types, weights, strict=True)]
    return torch.stack(parts).sum(0)


def _per_token(of: Compared) -> Answers:
    return Answers(of.scores.chosen / of.tokens.chosen, of.scores.rejected / of.tokens.rejected)
