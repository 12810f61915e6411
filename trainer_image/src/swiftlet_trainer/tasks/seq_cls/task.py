"""Classifiers as the trainer sees them."""

from dataclasses import dataclass

from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.models.scores import ScoreHead, head_of_task
from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.score.task import ScoreTask
from swiftlet_trainer.tasks.seq_cls.loss import LOSSES, RIGHT
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.score import SequenceScores


@dataclass(frozen=True)
class SeqCls(ScoreTask):
    """Scores of each text beside its targets, see tasks.seq_cls.loss."""

    head: ScoreHead

    @property
    def figures(self) -> tuple[str, ...]:
        return ("accuracy",) if self.head.problem_type in RIGHT else ()

    def loss(self, outputs: SequenceScores, batch: Batch) -> StepLoss:
        problem, targets = self.head.problem_type, batch["targets"]
        figures = {name: RIGHT[problem](outputs.scores, targets).float().sum() for name in self.figures}
        return StepLoss(LOSSES[problem](outputs.scores, targets).sum(), figures)


def task(document: TrainDocument) -> SeqCls:
    """Of a document with the block task.seqCls."""
    head = head_of_task(document.task)
    assert head  # noqa: S101
    return SeqCls(head)
