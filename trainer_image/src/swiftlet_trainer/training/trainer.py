"""A task learnt on transformers' Trainer.

Trainer, not TRL's SFTTrainer: the latter patches every model with a head of its own that computes log-probabilities,
entropy and top-1 accuracy of each position, about a quarter of a step, and cannot be told not to. Trainer brings the
loop, accumulation, schedulers, DDP and DeepSpeed; what is ours is which rows make a step, fp32 master weights,
checkpoints that survive a kill, and stopping; the loss is the task's.
"""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
import torch.distributed as dist
from swiftlet.api.training import Training
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments

from swiftlet_trainer.checkpoints.store import CheckpointStore
from swiftlet_trainer.checkpoints.writing import write_checkpoint
from swiftlet_trainer.tasks.base import Task
from swiftlet_trainer.training.batches import RankBatches
from swiftlet_trainer.training.boundaries import Boundaries
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.compilation import eagerly
from swiftlet_trainer.training.figures import StepFigures
from swiftlet_trainer.training.meter import require_finite
from swiftlet_trainer.training.optimizer import MasterWeights, build_optimizer, clip_gradients
from swiftlet_trainer.training.order import OrderedData
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


class TaskTrainer(Trainer):
    """One process of a run."""

    def __init__(
        self,
        model: Any,
        args: TrainingArguments,
        task: Task,
        data: OrderedData,
        training: Training,
        store: CheckpointStore,
        interval: int,
        master_weights: bool,
        stop: StopRequest,
        recorder: StepRecorder,
        reference: Path | None = None,
    ) -> None:
        """reference: file of what the model says of the rows before it is trained, for a task that asks for it."""
        cached = getattr(model.config, "use_cache", True)
        super().__init__(model=model, args=args, callbacks=[Boundaries(self, interval)])
        # Trainer switches it off, and it would be saved so; the loss asks for no cache itself.
        model.config.use_cache = cached
        # Trainer seeds all processes alike, and they would drop the same activations.
        seed_everything(args.seed + args.process_index)
        for callback in list(self.callback_handler.callbacks):
            if type(callback).__name__ in ("PrinterCallback", "ProgressCallback"):
                self.remove_callback(callback)
        self.task, self.data, self.training, self.store = task, data, training, store
        self._master_weights, self._stop = master_weights, stop
        self.recorder, self.reference = recorder, reference
        self._sums = torch.zeros(1 + len(task.figures), dtype=torch.float64, device=args.device)
        """Of the items so far in this step: losses, and each of the task's figures."""
        self._grad_norm: torch.Tensor | float = 0.0
        self._figures: StepFigures | None = None
        self.stopped = False

    # Rows: every process works through its share of the same steps.

    def get_train_dataloader(self) -> DataLoader[Any]:
        sampler = RankBatches(
            self.data.plan,
            self.args.max_steps,
            self.args.world_size,
            self.args.process_index,
            self.args.per_device_train_batch_size,
        )
        return DataLoader(
            self.data.train,  # type: ignore[arg-type]
            batch_sampler=sampler,  # type: ignore[arg-type]
            collate_fn=self.data.collator,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: torch.device) -> int:
        """Items of the whole step; each process knows all rows of it, so nothing is gathered."""
        return sum(self.data.items[row] for row in self.data.plan.rows(self.state.global_step))

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        return 0

    # Loss: the sum over items, divided by their number in the whole step.

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        found = self.task.loss(model(**inputs["inputs"]), cast(Batch, inputs))
        self._sums += torch.stack([found.total.detach(), *(found.figures[name] for name in self.task.figures)])
        if self.accelerator.sync_gradients:
            self._agree(int(num_items_in_batch))
        # DDP and DeepSpeed average gradients over processes; the loss is a sum over them.
        return found.total * (self.args.world_size / num_items_in_batch)

    def _agree(self, items: int) -> None:
        """One reduction per step: the sums of all processes, and whether any of them was asked to stop."""
        shared = torch.cat([self._sums, self._sums.new_tensor([float(self._stop.requested)])])
        if self.args.world_size > 1:
            dist.all_reduce(shared)
        self._sums.zero_()
        loss, *figures = (shared[:-1] / items).tolist()
        self.stopped = bool(shared[-1] > 0)
        require_finite(loss, self.state.global_step + 1)
        rows = self.data.plan.rows(self.state.global_step)
        self._figures = StepFigures(
            step=self.state.global_step + 1,
            loss=loss,
            learning_rate=self._get_learning_rate(),
            grad_norm=0.0,
            tokens=sum(self.data.plan.lengths[row] for row in rows),
            of_task=dict(zip(self.task.figures, figures, strict=True)),
        )

    # Optimizer: fp32 masters sum the gradients of micro-batches.

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            self.optimizer: Any = build_optimizer(self.model, self.training, self._master_weights)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        if self.lr_scheduler is None:
            factor = learning_rate_factor(self.training, num_training_steps)
            self.lr_scheduler: Any = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, factor)
            self._created_lr_scheduler = True
        return self.lr_scheduler

    @property
    def _masters(self) -> MasterWeights | None:
        optimizer = getattr(self.optimizer, "optimizer", self.optimizer)
        return optimizer if isinstance(optimizer, MasterWeights) else None

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        if not self._masters:
            return super().training_step(model, inputs, num_items_in_batch)
        several = self.args.world_size > 1
        # DDP would sum micro-batches and processes in bf16, where 64 additions lose a hundredth: the masters do it.
        with model.no_sync() if several else nullcontext():
            loss = super().training_step(model, inputs, num_items_in_batch)
        self._masters.absorb_gradients()
        if several and self.accelerator.sync_gradients:
            self._masters.average_gradients()
        return loss

    def _clip_grad_norm(self, model: Any) -> Any:
        if self._masters:
            return clip_gradients(self._masters.masters, self.training.max_grad_norm)
        return super()._clip_grad_norm(model)

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        if grad_norm is None and self._masters:
            grad_norm = clip_gradients(self._masters.masters, 0.0)
        else:
            grad_norm = super()._get_grad_norm(model, grad_norm)
        # Read when the step is done: a GPU then has the optimizer's work already.
        self._grad_norm = 0.0 if grad_norm is None else grad_norm
        return grad_norm

    # After a step: evaluation and checkpoint first, so that what is reported is safe.

    def _maybe_log_save_evaluate(self, tr_loss: torch.Tensor, *_args: Any, **_kwargs: Any) -> None:
        tr_loss.zero_()
        figures, self._figures = self._figures, None
        if figures is None:
            return
        started = time.perf_counter()
        found = self.evaluated() if self.control.should_evaluate else {}
        eval_loss = found.pop("loss", None)
        grad_norm = float(self._grad_norm)
        self.recorder.step(replace(figures, grad_norm=grad_norm, eval_loss=eval_loss, of_evaluation=found))
        if self.control.should_save:
            self._save_checkpoint(self.model_wrapped, None)
            self.control.should_save = False
            self.recorder.pause("checkpoint", time.perf_counter() - started)
        elif self.control.should_evaluate:
            self.recorder.pause("evaluation", time.perf_counter() - started)
        self.control.should_evaluate = False

    def is_stopping(self) -> bool:
        """Whether any process was asked to stop; all of them ask together."""
        return self.any_process(self._stop.requested)

    def any_process(self, holds: bool) -> bool:
        """Whether it holds on any process; all of them ask together."""
        found = torch.tensor(float(holds), device=self.args.device)
        if self.args.world_size > 1:
            dist.all_reduce(found)
        return bool(found > 0)

    @torch.no_grad()
    def evaluated(self) -> dict[str, float]:
        """Means over the items of the eval rows, over all processes: the `loss` and the task's figures; nothing without
        eval rows."""
        if not self.data.eval:
            return {}
        self.model_wrapped.eval()
        with eagerly():
            sums = self._evaluation_sums(self.data.eval)
        self.model_wrapped.train()
        items, *summed = sums.tolist()
        return {name: one / items for name, one in zip(("loss", *self.task.figures), summed, strict=True) if items}

    def _evaluation_sums(self, rows_of: Any) -> torch.Tensor:
        """Number of the items of the eval rows, their summed loss and figures, over all processes: (2 + figures,)."""
        sums = torch.zeros(2 + len(self.task.figures), dtype=torch.float64)
        for _, counted, batch in self.batches_of(rows_of):
            scores = self.model_wrapped(**batch["inputs"])
            items = len(batch["sequence"]) if self.task.items == "tokens" else int(batch["group"][-1]) + 1
            if counted:
                found = self.task.loss(scores, batch)
                figures = (float(found.figures[name]) for name in self.task.figures)
                sums += torch.tensor([items, float(found.total), *figures], dtype=torch.float64)
        if self.args.world_size > 1:
            sums = sums.to(self.args.device)
            dist.all_reduce(sums)
        return sums

    def batches_of(self, rows_of: Any) -> Iterator[tuple[list[int], bool, Batch]]:
        """This process's share of all rows, in no order of learning: row numbers, whether they count, the batch."""
        collator = replace(self.data.collator, packed=False)
        for rows, counted in _eval_batches(rows_of["length"], self.args):
            made = collator([rows_of[row] for row in rows])
            yield rows, counted, cast(Batch, self._prepare_inputs(cast(dict[str, Any], made)))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Into main memory first: Trainer would ask for `cpu:0` on several CPU processes, which PyTorch refuses."""
        if checkpoint is None or self.is_deepspeed_enabled:
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        for name, part in (("optimizer.pt", self.optimizer), ("scheduler.pt", self.lr_scheduler)):
            part.load_state_dict(torch.load(Path(checkpoint) / name, map_location="cpu", weights_only=True))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        write_checkpoint(self, self.store)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        from peft import PeftModel, load_peft_weights, set_peft_model_state_dict

        if not isinstance(self.model, PeftModel):
            return super()._load_from_checkpoint(resume_from_checkpoint, model)
        # PeftModel.load_adapter would turn bf16 adapters into fp32 ones, and the run into another run.
        set_peft_model_state_dict(self.model, load_peft_weights(resume_from_checkpoint, device="cpu"))
        return None


def _eval_batches(lengths: list[int], args: TrainingArguments) -> Iterator[tuple[list[int], bool]]:
    """Row indices of this process's batches, rows of like length together, and whether they count.

    Every process gets as many batches as the others, since ZeRO-3 gathers weights in each: surplus ones do not count.
    """
    size, world = args.per_device_train_batch_size, args.world_size
    order = np.argsort([-length for length in lengths], kind="stable").tolist()
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    for start in range(0, len(batches), world):
        index = start + args.process_index
        yield (batches[index], True) if index < len(batches) else (batches[0], False)
