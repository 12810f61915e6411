"""Reward models as the trainer sees them."""

from dataclasses import dataclass
from typing import ClassVar

from swiftlet.api.v1alpha1.tasks.rm import RmTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.models.scores import REWARD, ScoreHead
from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.preference.scores import FIGURES, figures, pairs
from swiftlet_trainer.tasks.rm.loss import loss
from swiftlet_trainer.tasks.score.task import ScoreTask
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.score import SequenceScores


@dataclass(frozen=True)
class Rm(ScoreTask):
    """One score of each answer, see tasks.rm.loss."""

    block: RmTask
    head: ClassVar[ScoreHead] = REWARD
    figures: ClassVar[tuple[str, ...]] = FIGURES

    def loss(self, outputs: SequenceScores, batch: Batch) -> StepLoss:
        rewards = pairs(outputs.scores.squeeze(-1))
        each = loss(rewards, batch["targets"].squeeze(-1), self.block.center_rewards_coefficient)
        return StepLoss(each.sum(), figures(rewards))


def task(document: TrainDocument) -> Rm:
    """Of a document with the block task.rm."""
    assert document.task.rm  # noqa: S101
    return Rm(document.task.rm)
