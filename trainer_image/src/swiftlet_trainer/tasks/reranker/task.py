"""Rerankers as the trainer sees them."""

from dataclasses import dataclass
from typing import ClassVar

from swiftlet.api.v1alpha1.tasks.reranker import RerankerTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.models.reranker import verdict_tokens
from swiftlet_trainer.models.scores import RELEVANCE, ScoreHead
from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.reranker.loss import listwise, pointwise
from swiftlet_trainer.tasks.score.task import ScoreTask
from swiftlet_trainer.templates.segments import Segments
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.odds import OddsHead
from swiftlet_trainer.training.heads.score import SequenceScores


@dataclass(frozen=True)
class Reranker(ScoreTask):
    """One score of each query and document, see tasks.reranker.loss."""

    block: RerankerTask
    head: ScoreHead | OddsHead = RELEVANCE
    figures: ClassVar[tuple[str, ...]] = ()

    def loss(self, outputs: SequenceScores, batch: Batch) -> StepLoss:
        scores = outputs.scores.squeeze(-1)
        if self.block.loss_type == "listwise":
            return StepLoss(listwise(scores, batch["group"], self.block.temperature).sum())
        return StepLoss(pointwise(scores, batch["targets"].squeeze(-1)).sum())


def task(document: TrainDocument) -> Reranker:
    """Of a document with the block task.reranker."""
    from swiftlet_trainer.models.loading import load_tokenizer

    block = document.task.reranker
    assert block  # noqa: S101
    if not block.generative:
        return Reranker(block)
    return Reranker(block, OddsHead(*verdict_tokens(block, Segments(load_tokenizer(document.model)))))
