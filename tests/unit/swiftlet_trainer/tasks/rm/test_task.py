"""The loss of reward models beside the papers' formulas."""

from collections.abc import Callable
from math import exp, log
from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.rm import RmTask
from swiftlet_trainer.tasks.rm.task import Rm
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.score import SequenceScores

REWARDS = [1.5, -0.5, 0.2, 0.9, -3.0, -3.0]
MARGINS = [0.0, 0.5, 2.0]


def step(margins: list[float], coefficient: float | None) -> tuple[Any, torch.Tensor]:
    scores = torch.tensor(REWARDS).unsqueeze(-1).requires_grad_()
    batch = Batch(
        inputs={},
        sequence=torch.zeros(0, dtype=torch.long),
        group=torch.arange(3).repeat_interleave(2),
        targets=torch.tensor(margins).unsqueeze(-1),
    )
    return Rm(RmTask(center_rewards_coefficient=coefficient)).loss(SequenceScores(scores), batch), scores


@pytest.mark.parametrize("coefficient", [None, 0.01])
@pytest.mark.parametrize("margins", [[0.0] * 3, MARGINS])
def test_the_loss_is_that_of_bradley_and_terry(margins: list[float], coefficient: float | None) -> None:
    found, scores = step(margins, coefficient)
    expected, slopes = 0.0, []
    for better, worse, margin in zip(REWARDS[::2], REWARDS[1::2], margins, strict=True):
        pull = (coefficient or 0) * (better + worse)
        expected += log(1 + exp(-(better - worse - margin))) + pull * (better + worse)
        wrong = 1 / (1 + exp(better - worse - margin))
        slopes += [-wrong + 2 * pull, wrong + 2 * pull]
    assert found.total.item() == pytest.approx(expected, rel=1e-5)
    (gradient,) = torch.autograd.grad(found.total, scores)
    assert gradient.flatten().tolist() == pytest.approx(slopes, rel=1e-5)


def test_what_is_told_are_the_rewards_themselves(told: Callable[[Any], dict[str, float]]) -> None:
    assert told(step(MARGINS, None)[0]) == pytest.approx(
        {"rewards_chosen": -1.3, "rewards_rejected": -2.6, "rewards_margins": 1.3, "rewards_accuracies": 1.0}
    )
