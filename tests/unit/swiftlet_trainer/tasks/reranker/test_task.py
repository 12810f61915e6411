"""Losses of rerankers beside formulas, whatever the groups are."""

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.reranker import RerankerTask
from swiftlet_trainer.tasks.reranker.task import Reranker
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.score import SequenceScores

SCORES = torch.tensor([[1.5], [-0.5], [80.0], [0.25], [-90.0], [2.0]])


def batch(group: list[int], targets: list[float]) -> Batch:
    return Batch(
        inputs={}, sequence=torch.zeros(0), group=torch.tensor(group), targets=torch.tensor(targets).unsqueeze(-1)
    )


def learnt(task: RerankerTask, of: Batch) -> tuple[float, torch.Tensor]:
    scores = SCORES.clone().requires_grad_()
    total = Reranker(task).loss(SequenceScores(scores), of).total
    (gradient,) = torch.autograd.grad(total, scores)
    return total.item(), gradient


def test_pointwise_is_the_cross_entropy_of_each_grade() -> None:
    grades = torch.tensor([1.0, 0.0, 1.0, 0.5, 0.0, 0.25])
    scores = SCORES.double().squeeze(-1).requires_grad_()
    p = torch.sigmoid(scores)
    expected = -(grades * p.log() + (1 - grades) * torch.log1p(-p).clamp(min=-100)).sum()
    total, gradient = learnt(RerankerTask(), batch(list(range(6)), grades.tolist()))
    assert total == pytest.approx(expected.item(), rel=1e-5)
    assert torch.allclose(gradient.squeeze(-1).double(), p - grades, atol=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("group", [[0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]])
def test_listwise_chooses_the_first_of_each_group(temperature: float, group: list[int]) -> None:
    task = RerankerTask(loss_type="listwise", temperature=temperature)
    total, gradient = learnt(task, batch(group, [1.0] * (group[-1] + 1)))
    scores = SCORES.double().squeeze(-1).requires_grad_()
    parts = (scores / temperature).split([group.count(one) for one in sorted(set(group))])
    expected = -torch.stack([part.log_softmax(0)[0] for part in parts]).sum()
    (other,) = torch.autograd.grad(expected, scores)
    assert total == pytest.approx(expected.item(), rel=1e-5)
    assert torch.allclose(gradient.squeeze(-1).double(), other, atol=1e-5)
