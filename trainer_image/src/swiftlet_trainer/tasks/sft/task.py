"""Supervised fine-tuning as the trainer sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.sft.loss import nll
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores, Want

METRICS: dict[str, Literal["entropy", "top1"]] = {"entropy": "entropy", "mean_token_accuracy": "top1"}
"""Figures of training.tokenMetrics, and the scores that they are means of."""


@dataclass(frozen=True)
class Sft:
    """-log p of the labelled tokens, each times its weight."""

    figures: tuple[str, ...] = ()
    items: Literal["tokens", "groups"] = "tokens"
    is_linear: bool = True
    has_reference: bool = False
    has_baseline: bool = False
    head: None = None

    @property
    def want(self) -> Want:
        return frozenset(METRICS[name] for name in self.figures)

    def loss(self, scores: TokenScores, batch: Batch) -> StepLoss:
        return StepLoss(nll(scores), {name: getattr(scores, METRICS[name]).sum() for name in self.figures})

    def told(self, means: Mapping[str, float]) -> Mapping[str, float]:
        return means


def task(document: TrainDocument) -> Sft:
    """Of a document with the block task.sft."""
    return Sft(tuple(METRICS) if document.training.token_metrics else ())
