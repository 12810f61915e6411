"""The loss of supervised fine-tuning, and what is told beside it."""

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.sft import SftTask
from swiftlet_trainer.tasks.sft.task import Sft
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores

BATCH = Batch(inputs={}, sequence=torch.tensor([0, 0, 1]), group=torch.tensor([0, 1]))
LOGPROB, ENTROPY, TOP1 = torch.tensor([-1.0, -2.0, -4.0]), torch.tensor([0.5, 1.0, 0.25]), torch.tensor([1.0, 0.0, 1.0])


def test_the_loss_is_summed_over_tokens() -> None:
    found = Sft().loss(TokenScores(LOGPROB), BATCH)
    assert (found.total.item(), found.figures) == (7.0, {})


def test_tokens_count_as_their_weights_say() -> None:
    weight = torch.tensor([0.5, 0.0, 2.0])
    assert Sft().loss(TokenScores(LOGPROB, weight=weight), BATCH).total.item() == 8.5


def test_token_metrics_are_sums_of_the_scores_that_they_ask_for() -> None:
    task = Sft(metrics=("entropy", "mean_token_accuracy"))
    assert task.want == {"entropy", "top1"}
    found = task.loss(TokenScores(LOGPROB, ENTROPY, TOP1), BATCH)
    assert {name: one.item() for name, one in found.figures.items()} == {"entropy": 1.75, "mean_token_accuracy": 2.0}


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 0.5, 2.0])])
def test_dft_weighs_a_token_by_its_probability(weight: torch.Tensor | None) -> None:
    """As TRL has it: -log p times p, which has no gradient of its own; arXiv:2508.05629, equation 9."""
    logprob = LOGPROB.clone().requires_grad_()
    task = Sft(SftTask(loss_type="dft"))
    factor = logprob.detach().exp() * (1.0 if weight is None else weight)
    found = task.loss(TokenScores(logprob, weight=weight), BATCH).total
    torch.testing.assert_close(found, -(factor * logprob).sum())
    torch.testing.assert_close(torch.autograd.grad(found, logprob)[0], -factor)
    assert not task.is_linear
    assert Sft().is_linear
