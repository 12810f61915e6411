"""Pre-training as the trainer sees it."""

from dataclasses import dataclass

from swiftlet.api.v1alpha1.tasks.sft import SftTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.tasks.sft.task import Sft, metrics_of


@dataclass(frozen=True)
class Pretrain(Sft):
    """-log p of the labelled tokens, which are all of them."""


def task(document: TrainDocument) -> Pretrain:
    """Of a document with the block task.pretrain."""
    return Pretrain(SftTask(assistant_only_loss=False), metrics_of(document))
