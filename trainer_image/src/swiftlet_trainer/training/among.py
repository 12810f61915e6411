"""Losses that depend on all rows of a step, batch by batch.

A first pass without gradients learns what each batch is to the others, over all processes; a second one computes each
batch with its gradient among what is known. So the loss is that of the whole step, and memory that of a batch. Source:
GradCache, arXiv:2101.06983, section 3.2. A step of one batch needs no first pass.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch

from swiftlet_trainer.parallel.peers import Peers
from swiftlet_trainer.tasks.base import ComparesRows, Task
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.compilation import eagerly


@torch.no_grad()
def among_rows(
    task: Task, model: Any, batches: Sequence[Batch], peers: Peers, counted: Sequence[bool] | None = None
) -> list[Batch]:
    """This process's batches of a step, each with what `task` has to know of the rest of the step; as they are for a
    task that need not. All processes ask together.

    model: what forward passes go through. counted: whether each batch is of the step; all are if None.
    """
    if not isinstance(task, ComparesRows) or len(batches) * peers.world_size == 1:
        return list(batches)
    learning = model.training
    model.eval()
    with eagerly():
        parts = [task.part(model(**batch["inputs"]), batch) for batch in batches]
    model.train(learning)
    known = task.shared(parts, counted or [True] * len(parts), peers)
    return [cast(Batch, {**batch, "among": one}) for batch, one in zip(batches, known, strict=True)]
