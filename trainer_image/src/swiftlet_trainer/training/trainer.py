"""A task learnt step by step.

A loop of our own, not transformers' Trainer: what a step is stands here from top to bottom, and nothing has to be
switched off. How gradients meet is the engine's matter, what is learnt is the task's.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Protocol, cast

import numpy as np
import torch
from swiftlet.wire.documents import TrainDocument
from torch.utils.data import DataLoader

from swiftlet_trainer.checkpoints.randomness import load_randomness
from swiftlet_trainer.checkpoints.store import CheckpointStore
from swiftlet_trainer.checkpoints.writing import write_checkpoint
from swiftlet_trainer.parallel.peers import Peers
from swiftlet_trainer.tasks.base import Task
from swiftlet_trainer.training.among import among_rows
from swiftlet_trainer.training.arithmetic import arithmetic_of
from swiftlet_trainer.training.baseline import baseline_of, with_baseline
from swiftlet_trainer.training.batches import RankBatches
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.compilation import as_used
from swiftlet_trainer.training.engine import Engine
from swiftlet_trainer.training.figures import StepFigures
from swiftlet_trainer.training.meter import require_finite
from swiftlet_trainer.training.order import OrderedData
from swiftlet_trainer.training.reference import Reference, learn_reference
from swiftlet_trainer.training.schedule import learning_rate_factor
from swiftlet_trainer.training.seeding import seed_everything
from swiftlet_trainer.training.stopping import StopRequest


class StepRecorder(Protocol):
    """What is told of the run's steps, on every process."""

    def start(self) -> None:
        """The first step begins now."""

    def step(self, figures: StepFigures) -> None:
        """A step is done."""

    def phase(self, message: str) -> None:
        """What is going on outside the steps."""

    def pause(self, what: str, seconds: float) -> None:
        """A `checkpoint` or an `evaluation` took this long."""


class TaskTrainer:
    """One process of a run."""

    def __init__(
        self,
        engine: Engine,
        peers: Peers,
        task: Task,
        data: OrderedData,
        document: TrainDocument,
        total: int,
        store: CheckpointStore,
        stop: StopRequest,
        recorder: StepRecorder,
        data_workers: int = 0,
        reference: Reference | None = None,
    ) -> None:
        """total: steps of the run. reference: of what the model says of the rows before it is trained, for a task that
        asks for it."""
        self.engine, self.peers, self.task, self.data = engine, peers, task, data
        self.document, self.total, self.store, self.recorder = document, total, store, recorder
        self.reference = reference
        self._stop, self._data_workers = stop, data_workers
        # What compares or scores sequences passes over them more than once, or without a head of tokens.
        self._arithmetic = arithmetic_of(engine.model) if task.head is None and task.items == "tokens" else None
        self._rate_factor = learning_rate_factor(document.training, total)
        self.step = 0
        """Steps that are done."""
        self.stopped = False
        """Whether any process was asked to stop."""

    def train(self, start: int = 0) -> None:
        """From step `start`, by its checkpoint, to the end or until any process is asked to stop."""
        seed_everything(self.document.training.seed + self.peers.rank)  # each drops activations of its own
        self.step = start
        if start:
            self.engine.load(self.store.path(start))
        if self.reference:
            learn_reference(self, self.reference, resumed=start > 0)
        batches = iter(self._loader(start))
        if start:
            load_randomness(self.store.path(start), self.peers.rank, self.peers.world_size)
        self.engine.wrapped.train()
        self.recorder.start()
        while self.step < self.total and not self.stopped:
            self._settle(self._learn(batches))

    def _loader(self, start: int) -> DataLoader[Any]:
        """This process's share of the rows of each step from `start` on."""
        sampler = RankBatches(
            self.data.plan,
            range(start, self.total),
            self.peers.world_size,
            self.peers.rank,
            self.document.per_device_batch_size,
        )
        return DataLoader(
            self.data.train,  # type: ignore[arg-type]
            batch_sampler=sampler,  # type: ignore[arg-type]
            collate_fn=self.data.collator,
            num_workers=self._data_workers,
            pin_memory=self.peers.device.type == "cuda",
            generator=torch.Generator(),  # workers' seeds are none of the model's random numbers
        )

    def _learn(self, batches: Iterator[Batch]) -> StepFigures:
        """One step: the sum of the losses of all its items, divided by their number."""
        counted = range(self.document.gradient_accumulation_steps)
        parts = with_baseline(self, [on_device(next(batches), self.peers.device) for _ in counted])
        parts = among_rows(self.task, self.engine.wrapped, parts, self.peers)
        rows = self.data.plan.rows(self.step)
        items = sum(self.data.items[row] for row in rows)  # each process knows all rows of a step
        sums = torch.zeros(2 + len(self.task.figures), dtype=torch.float64, device=self.peers.device)
        for batch in parts:
            found = self.task.loss(self.engine.wrapped(**batch["inputs"]), batch)
            sums[1:] += torch.stack([found.total.detach(), *(found.figures[name] for name in self.task.figures)])
            # Engines average over processes; the loss is a sum over them.
            self.engine.backward(found.total * (self.peers.world_size / items), last=batch is parts[-1])
        rate = self.document.training.learning_rate * self._rate_factor(self.step)
        grad_norm = self.engine.update(rate)
        self.step += 1
        loss, *figures = self._agreed(sums, items)
        tokens = sum(self.data.plan.lengths[row] for row in rows)
        return StepFigures(
            step=self.step,
            loss=loss,
            learning_rate=rate,
            grad_norm=float(grad_norm),
            tokens=tokens,
            flops=self._arithmetic.of_step(tokens, items) if self._arithmetic else None,
            of_task=self.task.told(dict(zip(self.task.figures, figures, strict=True))),
        )

    def _agreed(self, sums: torch.Tensor, items: int) -> list[float]:
        """Means over the items of all processes; and whether any process was asked to stop. One reduction per step.
        Raises Diverged."""
        sums[0] = float(self._stop.requested)
        stops, *means = (self.peers.summed(sums) / items).tolist()
        self.stopped = stops > 0
        require_finite(means[0], self.step)
        return means

    def _settle(self, figures: StepFigures) -> None:
        """What follows a step: an evaluation, the report, a checkpoint; whichever is due."""
        is_last = self.step == self.total
        is_due = is_last or self.step % self.document.checkpoints.interval_steps == 0
        started = time.perf_counter()
        found = self.evaluated() if is_due else {}
        eval_loss = found.pop("loss", None)
        self.recorder.step(replace(figures, eval_loss=eval_loss, of_evaluation=found))
        if is_due or self.stopped:
            write_checkpoint(self.step, self.engine, self.peers, self.store)
            self.recorder.pause("checkpoint", time.perf_counter() - started)

    def is_stopping(self) -> bool:
        """Whether any process was asked to stop; all of them ask together."""
        return self.peers.any(self._stop.requested)

    @torch.no_grad()
    def evaluated(self) -> dict[str, Any]:
        """Means over the items of the eval rows, over all processes: the `loss` and the task's figures; nothing without
        eval rows."""
        if not self.data.eval:
            return {}
        with as_used(self.engine.wrapped):
            items, loss, *summed = self._evaluation_sums(self.data.eval).tolist()
        if not items:
            return {}
        means = {name: one / items for name, one in zip(self.task.figures, summed, strict=True)}
        return {"loss": loss / items, **self.task.told(means)}

    def _evaluation_sums(self, rows_of: Any) -> torch.Tensor:
        """Number of the items of the eval rows, their summed loss and figures, over all processes: (2 + figures,)."""
        sums = torch.zeros(2 + len(self.task.figures), dtype=torch.float64)
        known, batches = baseline_of(self, rows_of), self.batches_of(rows_of)
        while parts := list(islice(batches, self.document.gradient_accumulation_steps)):  # as many rows as in a step
            counted = [counts for _, counts, _ in parts]
            step = among_rows(self.task, self.engine.wrapped, [batch for _, _, batch in parts], self.peers, counted)
            for counts, rows in zip(counted, step, strict=True):
                batch = cast(Batch, {**rows, **known})
                scores = self.engine.wrapped(**batch["inputs"])
                items = len(batch["sequence"]) if self.task.items == "tokens" else int(batch["group"][-1]) + 1
                if counts:
                    found = self.task.loss(scores, batch)
                    figures = (float(found.figures[name]) for name in self.task.figures)
                    sums += torch.tensor([items, float(found.total), *figures], dtype=torch.float64)
        return self.peers.summed(sums)

    def batches_of(self, rows_of: Any, **changes: Any) -> Iterator[tuple[list[int], bool, Batch]]:
        """This process's share of all rows, in no order of learning: row numbers, whether they count, the batch.

        changes: of the collator that training has.
        """
        changes = {"packed": False, **changes}
        for rows, counted in _shares(rows_of["length"], self.document.per_device_batch_size, self.peers):
            yield rows, counted, self.batch_of(rows_of, rows, **changes)

    def batch_of(self, rows_of: Any, numbers: Sequence[int], **changes: Any) -> Batch:
        """The rows with these numbers where the model is. changes: of the collator that training has."""
        made = replace(self.data.collator, **changes)([rows_of[row] for row in numbers])
        return cast(Batch, on_device(made, self.peers.device))


def on_device(batch: Any, device: torch.device) -> Any:
    """The batch with all its tensors there."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    return {name: on_device(one, device) for name, one in batch.items()} if isinstance(batch, dict) else batch


def _shares(lengths: list[int], size: int, peers: Peers) -> Iterator[tuple[list[int], bool]]:
    """Row indices of this process's batches, rows of like length together, and whether they count.

    Every process gets as many batches as the others, since ZeRO-3 gathers weights in each: surplus ones do not count.
    """
    order = np.argsort([-length for length in lengths], kind="stable").tolist()
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    for start in range(0, len(batches), peers.world_size):
        index = start + peers.rank
        yield (batches[index], True) if index < len(batches) else (batches[0], False)
