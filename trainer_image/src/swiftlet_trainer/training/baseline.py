"""What a step's loss compares with when that is a mean over all its rows: computed ahead of them, without a gradient.

The mean is over the rows of all micro-batches and processes, so that what is learnt depends on neither. It is taken of
the last sequence of each group, which training leaves out, by the model as it is used: nothing is dropped at random.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import torch

from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.compilation import as_used

PLACE = 1
"""Of the sequences in their groups."""


def with_baseline(trainer: Any, parts: Sequence[Batch]) -> Sequence[Batch]:
    """The micro-batches of the trainer's next step with their baseline, if its task has one."""
    if not trainer.task.has_baseline:
        return parts
    shares = (trainer.peers.world_size, trainer.peers.rank, trainer.document.per_device_batch_size)
    numbers = trainer.data.plan.micro_batches(trainer.step, *shares)
    batches = ((True, trainer.batch_of(trainer.data.train, rows.tolist(), place=PLACE)) for rows in numbers)
    known = _mean(trainer, batches)
    return [cast(Batch, {**part, **known}) for part in parts]


def baseline_of(trainer: Any, rows: Any) -> dict[str, torch.Tensor]:
    """The same of all `rows`, such as those held out: what batches have more for it."""
    if not trainer.task.has_baseline:
        return {}
    return _mean(trainer, (found[1:] for found in trainer.batches_of(rows, place=PLACE)))


@torch.no_grad()
def _mean(trainer: Any, batches: Iterable[tuple[bool, Batch]]) -> dict[str, torch.Tensor]:
    """Over the groups of this and all other processes' batches that count."""
    model = trainer.engine.wrapped
    sums = torch.zeros(2, dtype=torch.float64, device=trainer.peers.device)
    with as_used(model):
        for counted, batch in batches:
            found = trainer.task.baseline(model(**batch["inputs"]), batch)
            sums += counted * torch.stack([found.double(), sums.new_tensor(float(len(batch["group"])))])
    total, groups = trainer.peers.summed(sums)
    return {"baseline": (total / groups).float()}
