"""Losses of channels: sums of their own tokens, and means that do not depend on what they were divided by."""

import math

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.sft import SftTask
from swiftlet_trainer.tasks.sft.task import Sft
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores

CHANNELS = ("chat", "code", "absent")
BATCH = Batch(
    inputs={},
    sequence=torch.tensor([0, 0, 1, 2]),
    group=torch.tensor([0, 1, 2]),
    targets=torch.tensor([[0.0], [1.0], [0.0]]),
)
LOGPROB = torch.tensor([-1.0, -2.0, -4.0, -0.5])


@pytest.mark.parametrize("items", [1, 4, 7])
def test_each_channel_has_the_mean_of_its_own_tokens(items: int) -> None:
    task = Sft(metrics=("entropy",), channels=CHANNELS)
    found = task.loss(TokenScores(LOGPROB.clone().requires_grad_(), entropy=torch.ones(4)), BATCH)
    assert tuple(found.figures) == task.figures
    assert found.total.item() == 7.5
    assert not any(one.requires_grad for one in found.figures.values())
    told = task.told({name: one.item() / items for name, one in found.figures.items()})
    assert told["entropy"] == 4 / items
    assert told["channel_losses"] == pytest.approx({"chat": 3.5 / 3, "code": 4.0})


def test_tokens_count_as_the_loss_has_them() -> None:
    weight = torch.tensor([1.0, 0.0, 2.0, 1.0])
    task = Sft(SftTask(loss_type="dft"), channels=CHANNELS)
    found = task.loss(TokenScores(LOGPROB, weight=weight), BATCH)
    losses = {name: found.figures[f"channel_loss/{name}"].item() for name in CHANNELS}
    expected = {"chat": math.exp(-1) + 0.5 * math.exp(-0.5), "code": 8 * math.exp(-4), "absent": 0}
    assert losses == pytest.approx(expected)
    assert sum(losses.values()) == pytest.approx(found.total.item())


def test_nothing_is_summed_where_nobody_asks() -> None:
    assert (Sft().figures, Sft().told({})) == ((), {})
