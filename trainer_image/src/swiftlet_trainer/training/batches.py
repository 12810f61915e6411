"""Which rows make up each optimizer step: the same for any number of processes, and for a run that was resumed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

GROUPED_STEPS = 50
"""Steps within which rows are sorted by length: enough to find rows alike, few enough to keep the order random."""

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class BatchPlan:
    """The rows of every step, computed from (seed, step) alone, so that nothing but the step need be saved.

    Rows come from one endless stream: a seeded permutation of the data per epoch, one after the other. The stream is
    cut into windows of whole steps; within a window rows are sorted by length, cut into steps, and the steps shuffled.
    The last step of an epoch is filled with first rows of the next one, so every step has `global_batch_size` rows.
    """

    lengths: tuple[int, ...]
    """Tokens of each row."""
    global_batch_size: int
    seed: int
    grouped: bool = True

    def total_steps(self, epochs: float | None, max_steps: int | None) -> int:
        """Optimizer steps of the run; three epochs when neither limit is given."""
        if max_steps is not None:
            return max_steps
        return max(1, math.ceil((3.0 if epochs is None else epochs) * len(self.lengths) / self.global_batch_size))

    def rows(self, step: int) -> Rows:
        """Row indices of step `step` (from 0), shape (global_batch_size,), the longest first."""
        steps = self._window_steps()
        return self._window(step // steps)[step % steps]

    def micro_batches(self, step: int, processes: int, rank: int, size: int) -> list[Rows]:
        """What process `rank` of `processes` computes in `step`: arrays of up to `size` rows.

        The rows are sorted by length, and neighbours are dealt to the processes in turn, so that all take equally long.
        """
        parts = [rows for rows in np.split(self.rows(step), range(size, self.global_batch_size, size)) if len(rows)]
        return parts[rank::processes]

    def epoch(self, steps_done: int) -> float:
        """Passes over the data after `steps_done` steps."""
        return steps_done * self.global_batch_size / len(self.lengths)

    def _window_steps(self) -> int:
        return min(GROUPED_STEPS, max(1, len(self.lengths) // self.global_batch_size)) if self.grouped else 1

    def _window(self, number: int) -> Rows:
        return _window(self, number)

    def _stream(self, start: int, stop: int) -> Rows:
        size = len(self.lengths)
        epochs = range(start // size, (stop - 1) // size + 1)
        order: Rows = np.concatenate([np.random.default_rng([self.seed, epoch]).permutation(size) for epoch in epochs])
        return order[start - epochs[0] * size : stop - epochs[0] * size]


@lru_cache(maxsize=2)
def _window(plan: BatchPlan, number: int) -> Rows:
    """Rows of one window, shape (steps, global_batch_size)."""
    steps = plan._window_steps()
    count = steps * plan.global_batch_size
    rows = plan._stream(number * count, (number + 1) * count)
    # Stable sorts: equal lengths keep the stream's order on every platform.
    rows = rows[np.argsort([-plan.lengths[row] for row in rows], kind="stable")].reshape(steps, -1)
    return rows[np.random.default_rng([plan.seed, number, 1]).permutation(steps)]


class RankBatches:
    """Batch sampler of one process: micro-batch after micro-batch, step after step."""

    def __init__(self, plan: BatchPlan, steps: range, processes: int, rank: int, size: int) -> None:
        self._plan, self._steps = plan, steps
        self._share = (processes, rank, size)
        self.batch_size = size

    def __len__(self) -> int:
        processes, _, size = self._share
        return len(self._steps) * (self._plan.global_batch_size // (processes * size))

    def __iter__(self) -> Iterator[list[int]]:
        for step in self._steps:
            for rows in self._plan.micro_batches(step, *self._share):
                yield [int(row) for row in rows]
