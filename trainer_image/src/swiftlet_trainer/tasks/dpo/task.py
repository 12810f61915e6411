"""Direct preference optimization as the trainer sees it."""

from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.tasks.dpo.loss import STEP_LOSSES
from swiftlet_trainer.tasks.dpo.pairwise import Dpo
from swiftlet_trainer.tasks.dpo.step import DpoOfStep


def task(document: TrainDocument) -> Dpo:
    """Of a document with the block task.dpo."""
    block = document.task.dpo
    assert block  # noqa: S101
    return DpoOfStep(block) if STEP_LOSSES.keys() & block.loss_types else Dpo(block)
