"""The losses of DPO and what came after it, as functions of log-ratios.

All tensors are fp32, (P,), for the P pairs of a batch. Log-ratio: log p of an answer less log p under the reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log, log1p

import torch
from swiftlet.api.v1alpha1.tasks.dpo import DpoLoss, DpoTask
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


@dataclass(frozen=True)
class Transported:
    """What a loss of all pairs of a step is a function of: log p of their answers, and under the reference."""

    answers: Answers
    reference: Answers

    @property
    def ratios(self) -> Answers:
        """Log-ratios."""
        return Answers(self.answers.chosen - self.reference.chosen, self.answers.rejected - self.reference.rejected)


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


def _aot(of: Transported, task: DpoTask) -> torch.Tensor:
    """arXiv:2406.05882, section 4.1: the margins of the model above those of the reference, each sorted."""
    ahead = of.answers.margin.sort().values - of.reference.margin.sort().values
    return smoothed(task.beta * ahead, task.label_smoothing)


def _aot_unpaired(of: Transported, task: DpoTask) -> torch.Tensor:
    """arXiv:2406.05882, section 4.2: the log-ratios of chosen answers above those of rejected ones, each sorted."""
    ahead = of.ratios.chosen.sort().values - of.ratios.rejected.sort().values
    return smoothed(task.beta * ahead, task.label_smoothing)


STEP_LOSSES: Mapping[DpoLoss, Callable[[Transported, DpoTask], torch.Tensor]] = {
    "aot": _aot,
    "aot_unpaired": _aot_unpaired,
}
"""Losses of all pairs of a step together."""
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
    """Of each pair: the task's losses by their weights, without those of a step and the term of rpoAlpha."""
    parts = [weight * LOSSES[name](of, task) for name, weight in _weighted(task) if name in LOSSES]
    return sum(parts, of.chosen_nll.new_zeros(of.chosen_nll.shape))


def step_loss(of: Transported, task: DpoTask) -> torch.Tensor:
    """Of all pairs of a step together, summed: the task's losses of that kind by their weights."""
    parts = [weight * STEP_LOSSES[name](of, task).sum() for name, weight in _weighted(task) if name in STEP_LOSSES]
    return torch.stack(parts).sum()


def _weighted(task: DpoTask) -> list[tuple[DpoLoss, float]]:
    return list(zip(task.loss_types, task.loss_weights or [1.0] * len(task.loss_types), strict=True))


def _per_token(of: Compared) -> Answers:
    return Answers(of.scores.chosen / of.tokens.chosen, of.scores.rejected / of.tokens.rejected)
