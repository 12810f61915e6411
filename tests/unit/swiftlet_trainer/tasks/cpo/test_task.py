"""CPO's losses are TRL's, on the same log-probabilities."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.cpo import CpoTask
from swiftlet_trainer.tasks.cpo.task import Cpo
from swiftlet_trainer.tasks.preference.scores import means, pairs, summed

SIZES = [(3, 5), (4, 2), (1, 1)]


def of_trl(drawn: Any, task: Any, kind: str) -> torch.Tensor:
    from trl.experimental.cpo.cpo_trainer import CPOTrainer

    whole, mean = pairs(summed(drawn.leaf, drawn.batch)), means(drawn.scores, drawn.batch)
    answers = mean if kind in ("ipo", "simpo") else whole
    itself = SimpleNamespace(
        alpha=0.0, loss_type=kind, beta=task.beta, label_smoothing=task.label_smoothing,
        simpo_gamma=getattr(task, "simpo_gamma", 0.0), accelerator=SimpleNamespace(device="cpu"),
    )  # fmt: skip
    losses, _, _ = CPOTrainer.cpo_loss(itself, answers.chosen, answers.rejected)
    return (losses - task.cpo_alpha * mean.chosen).sum()


@pytest.mark.parametrize("kind", ["sigmoid", "hinge", "ipo"])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_each_loss_is_trls(draw: Callable[..., Any], kind: Any, alpha: float) -> None:
    drawn = draw(SIZES)
    task = CpoTask(loss_type=kind, cpo_alpha=alpha, label_smoothing=0.1 if kind == "sigmoid" else 0.0)
    ours, theirs = Cpo(task).loss(drawn.scores, drawn.batch), of_trl(drawn, task, kind)
    assert ours.total.item() == pytest.approx(theirs.item(), rel=1e-5)
    torch.testing.assert_close(drawn.gradient(ours.total), drawn.gradient(theirs), atol=1e-6, rtol=1e-5)


def test_rewards_are_log_probabilities(draw: Callable[..., Any], told: Callable[[Any], dict[str, float]]) -> None:
    drawn = draw([(2, 1)])
    found = told(Cpo(CpoTask(beta=0.5)).loss(drawn.scores, drawn.batch))
    assert found["rewards_chosen"] == pytest.approx(0.5 * drawn.leaf[:2].sum().item())
    assert found["rewards_margins"] == pytest.approx(found["rewards_chosen"] - found["rewards_rejected"])
    assert found["rewards_accuracies"] == float(found["rewards_margins"] > 0)
