"""Supervised fine-tuning as the trainer sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from swiftlet.api.tasks.sft import SftTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.sft.loss import dft, nll
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores, Want

METRICS: dict[str, Literal["entropy", "top1"]] = {"entropy": "entropy", "mean_token_accuracy": "top1"}
"""Figures of training.tokenMetrics, and the scores that they are means of."""


@dataclass(frozen=True)
class Sft:
    """A loss of the labelled tokens' log-probabilities, see tasks.sft.loss."""

    block: SftTask = field(default_factory=SftTask)
    figures: tuple[str, ...] = ()
    items: Literal["tokens", "groups"] = "tokens"
    has_reference: bool = False
    has_baseline: bool = False
    head: None = None

    @property
    def is_linear(self) -> bool:
        return self.block.loss_type != "dft"

    @property
    def smoothing(self) -> float:
        return self.block.label_smoothing or 0.0

    @property
    def want(self) -> Want:
        return frozenset(METRICS[name] for name in self.figures)

    def loss(self, scores: TokenScores, batch: Batch) -> StepLoss:
        loss = dft(scores) if self.block.loss_type == "dft" else nll(scores)
        return StepLoss(loss, {name: getattr(scores, METRICS[name]).sum() for name in self.figures})

    def told(self, means: Mapping[str, float]) -> Mapping[str, float]:
        return means


def task(document: TrainDocument) -> Sft:
    """Of a document with the block task.sft."""
    return Sft(document.task.sft or SftTask(), metrics_of(document))


def metrics_of(document: TrainDocument) -> tuple[str, ...]:
    """The figures that the document asks for."""
    return tuple(METRICS) if document.training.token_metrics else ()
