"""Supervised fine-tuning as the trainer sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from swiftlet.api.v1alpha1.tasks.sft import SftTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.sft.channels import channel_means, channel_sums, figure_names
from swiftlet_trainer.tasks.sft.loss import dft, nll
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.figures import Told
from swiftlet_trainer.training.heads.tokens import TokenScores, Want

METRICS: dict[str, Literal["entropy", "top1"]] = {"entropy": "entropy", "mean_token_accuracy": "top1"}
"""Figures of training.tokenMetrics, and the scores that they are means of."""


@dataclass(frozen=True)
class Sft:
    """A loss of the labelled tokens' log-probabilities, see tasks.sft.loss."""

    block: SftTask = field(default_factory=SftTask)
    metrics: tuple[str, ...] = ()
    """Of METRICS."""
    channels: tuple[str, ...] = ()
    """Names of what the losses of rows are told apart by."""
    items: Literal["tokens", "groups"] = "tokens"
    has_reference: bool = False
    has_baseline: bool = False
    head: None = None

    @property
    def figures(self) -> tuple[str, ...]:
        return (*self.metrics, *figure_names(self.channels))

    @property
    def is_linear(self) -> bool:
        return self.block.loss_type != "dft"

    @property
    def smoothing(self) -> float:
        return self.block.label_smoothing or 0.0

    @property
    def want(self) -> Want:
        return frozenset(METRICS[name] for name in self.metrics)

    def loss(self, scores: TokenScores, batch: Batch) -> StepLoss:
        loss = dft if self.block.loss_type == "dft" else nll
        figures = {name: getattr(scores, METRICS[name]).sum() for name in self.metrics}
        if self.channels:
            figures |= channel_sums(loss, scores, batch, self.channels)
        return StepLoss(loss(scores), figures)

    def told(self, means: Mapping[str, float]) -> Told:
        metrics = {name: means[name] for name in self.metrics}
        return metrics | ({"channel_losses": channel_means(means, self.channels)} if self.channels else {})


def task(document: TrainDocument) -> Sft:
    """Of a document with the block task.sft."""
    return Sft(document.task.sft or SftTask(), metrics_of(document))


def metrics_of(document: TrainDocument) -> tuple[str, ...]:
    """The figures that the document asks for."""
    return tuple(METRICS) if document.training.token_metrics else ()
