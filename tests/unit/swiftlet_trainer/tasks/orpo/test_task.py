"""ORPO's odds are TRL's, and its loss the paper's."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.orpo import OrpoTask
from swiftlet_trainer.tasks.orpo.loss import log_odds_ratio
from swiftlet_trainer.tasks.orpo.task import Orpo
from swiftlet_trainer.tasks.preference.scores import Answers, means

SIZES = [(3, 5), (4, 2), (1, 1)]


def test_the_penalty_is_trls(draw: Callable[..., Any]) -> None:
    """TRL adds -log p per token of the prompt and the answer; the paper's supervised loss is of the answer."""
    from trl.experimental.orpo.orpo_trainer import ORPOTrainer

    drawn = draw(SIZES)
    answers = means(drawn.scores, drawn.batch)
    itself = SimpleNamespace(beta=0.3, accelerator=SimpleNamespace(device="cpu"))
    theirs = ORPOTrainer.odds_ratio_loss(itself, answers.chosen, answers.rejected)[0]
    ours = Orpo(OrpoTask(beta=0.3)).loss(drawn.scores, drawn.batch)
    expected = (-answers.chosen - theirs).sum()
    assert ours.total.item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(drawn.gradient(ours.total), drawn.gradient(expected), atol=1e-6, rtol=1e-4)


def test_an_answer_that_is_certain_has_finite_odds() -> None:
    likelihoods = Answers(torch.zeros(1, requires_grad=True), torch.tensor([-80.0]))
    found = log_odds_ratio(likelihoods)
    found.sum().backward()
    assert found.isfinite().all()
    assert likelihoods.chosen.grad is not None
    assert likelihoods.chosen.grad.isfinite().all()
