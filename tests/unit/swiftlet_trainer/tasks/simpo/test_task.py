"""SimPO's loss is the paper's."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.simpo import SimpoTask
from swiftlet_trainer.tasks.simpo.task import Simpo

SIZES = [(3, 5), (4, 2)]


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_it_is_equation_6(draw: Callable[..., Any], alpha: float) -> None:
    drawn = draw(SIZES)
    ours = Simpo(SimpoTask(cpo_alpha=alpha)).loss(drawn.scores, drawn.batch)
    expected = torch.zeros(())
    for chosen, rejected in zip(*[iter(drawn.leaf.split([3, 5, 4, 2]))] * 2, strict=True):
        margin = 2.0 * chosen.mean() - 2.0 * rejected.mean() - 1.0
        expected = expected - torch.log(torch.sigmoid(margin)) - alpha * chosen.mean()
    assert ours.total.item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(drawn.gradient(ours.total), drawn.gradient(expected), atol=1e-6, rtol=1e-5)


def test_labels_may_be_doubted(draw: Callable[..., Any]) -> None:
    drawn = draw([(2, 2)])
    sure, unsure = (
        Simpo(SimpoTask(cpo_alpha=0.0, label_smoothing=smoothing)).loss(drawn.scores, drawn.batch).total
        for smoothing in (0.0, 0.2)
    )
    margin = 2.0 * (drawn.leaf[:2].mean() - drawn.leaf[2:].mean()) - 1.0
    expected = 0.8 * sure - 0.2 * torch.nn.functional.logsigmoid(-margin)
    assert unsure.item() == pytest.approx(expected.item(), rel=1e-5)
