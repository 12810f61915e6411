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
from swiftlet_trainer.training.compilation import as_used


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
    with as_used(model):
        parts = [task.part(model(**batch["inputs"]), batch) for batch in batches]
    known = task.shared(parts, counted or [True] * len(parts), peers)
    return [cast(Batch, {**batch, "among": one}) for batch, one in zip(batches, known, strict=True)]


def joined(parts: Sequence[torch.Tensor], counted: Sequence[bool], peers: Peers) -> tuple[torch.Tensor, list[int]]:
    """The rows of a step's batches, of all processes and without a gradient, in the plan's order: first batches first;
    and where those of each of this process's batches begin.

    parts: one tensor of each batch, alike but for its length. counted: whether each is of the step. All processes call
    it, with as many batches each.
    """
    sizes = torch.zeros(len(parts), peers.world_size, dtype=torch.int64, device=peers.device)
    for index, (one, counts) in enumerate(zip(parts, counted, strict=True)):
        sizes[index, peers.rank] = counts * len(one)
    lengths = peers.summed(sizes).flatten()
    ends = lengths.cumsum(0)
    firsts: list[int] = (ends - lengths)[peers.rank :: peers.world_size].tolist()
    whole = parts[0].new_zeros(int(ends[-1]), *parts[0].shape[1:])
    for one, counts, first in zip(parts, counted, firsts, strict=True):
        if counts:
            whole[first : first + len(one)] = one.detach()
    return peers.summed(whole), firsts


def with_own(whole: torch.Tensor, first: int, own: torch.Tensor) -> torch.Tensor:
    """`whole` with a batch's rows, which begin at `first`, as they are given: with their gradient."""
    return torch.cat([whole[:first], own, whole[first + len(own) :]])
