"""Losses of classifiers beside transformers' own."""

from typing import Any

import numpy as np
import pytest
import torch
from swiftlet.api.v1alpha1.tasks.seq_cls import SeqClsTask
from swiftlet.wire.documents import TrainDocument
from swiftlet_trainer.models.scores import ScoreHead
from swiftlet_trainer.tasks.seq_cls.rows import target_notes
from swiftlet_trainer.tasks.seq_cls.task import SeqCls
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.score import SequenceScores
from transformers import LlamaConfig
from transformers.loss.loss_utils import ForSequenceClassificationLoss

NAMES = ("a", "b", "c")
TARGETS: dict[Any, list[list[float]]] = {
    "single_label_classification": [[0], [2], [1], [2]],
    "multi_label_classification": [[0, 1, 1], [0, 0, 0], [1, 1, 1], [1, 0, 0]],
    "regression": [[0.5, 1, -2], [0, 0, 3], [1, 1, 1], [2.5, -1, 0]],
}


@pytest.mark.parametrize("problem", TARGETS)
def test_losses_and_gradients_are_those_of_transformers(problem: Any) -> None:
    scores = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    targets = torch.tensor(TARGETS[problem], dtype=torch.float32)
    batch = Batch(inputs={}, sequence=torch.zeros(0), group=torch.arange(4), targets=targets)
    ours = SeqCls(ScoreHead(NAMES, problem)).loss(SequenceScores(scores), batch).total
    labels = targets.squeeze(-1).long() if problem == "single_label_classification" else targets
    config = LlamaConfig(num_labels=3, problem_type=problem)
    theirs = ForSequenceClassificationLoss(labels, scores, config) * 4  # the mean of four texts
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    (one,), (other,) = (torch.autograd.grad(loss, scores) for loss in (ours, theirs))
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("problem", "targets", "notes"),
    [
        ("single_label_classification", [0, 0, 2], ["no training row has the label b; nothing is learnt of it"]),
        ("single_label_classification", [0, 1, 2], []),
        (
            "multi_label_classification",
            [1, 0, 0, 1, 0, 0],
            ["no training row has the label b, c; nothing is learnt of it"],
        ),
        ("regression", [0.5, 1, 2], []),
    ],
)
def test_a_class_without_a_row_is_told(problem: Any, targets: list[float], notes: list[str]) -> None:
    document = TrainDocument.model_construct(task=_task(SeqClsTask(labels=list(NAMES), problem_type=problem)))
    assert target_notes(document, np.array(targets, dtype=np.float32)) == notes


def _task(block: SeqClsTask) -> Any:
    from swiftlet.api.v1alpha1.tasks import Task

    return Task(seq_cls=block)


def test_names_are_as_many_as_the_labels() -> None:
    assert SeqClsTask().score_names == ("LABEL_0", "LABEL_1")
    assert SeqClsTask(num_labels=3).score_names == ("LABEL_0", "LABEL_1", "LABEL_2")
    assert SeqClsTask(problem_type="regression").score_names == ("LABEL_0",)
    assert SeqClsTask(labels=["no", "yes"]).score_names == ("no", "yes")
