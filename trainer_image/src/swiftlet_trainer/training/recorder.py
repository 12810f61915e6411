"""Figures of steps turned into progress events and the history."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel
from swiftlet.api.v1alpha1.progress import Progress
from swiftlet.wire.messages import ProgressEvent

from swiftlet_trainer.progress import History, Reporter, now
from swiftlet_trainer.training.batches import BatchPlan
from swiftlet_trainer.training.figures import StepFigures, Told
from swiftlet_trainer.training.meter import Meter

HELD_OUT = ("eval_accuracy", "eval_rewards_margins", "eval_rewards_accuracies", "eval_channel_losses")
"""Figures of a task that are told of the rows held out as well: fields of Progress."""


class Recorder:
    """Told of each step by the trainer. On other processes than rank 0 it keeps the figures and writes nothing."""

    def __init__(
        self,
        output_dir: Path,
        reporter: Reporter,
        logging_steps: int,
        plan: BatchPlan,
        total: int,
        start: int,
        peak: float | None = None,
    ) -> None:
        """start: steps that are done, when the run goes on from a checkpoint; the history forgets later ones. peak:
        operations per second of the devices of all processes, where it is known."""
        self._peak = peak
        self._reporter, self._logging_steps, self._plan, self._total = reporter, logging_steps, plan, total
        self._history = History(output_dir)
        self._meter = Meter(total)
        self._checkpoint: int | None = start or None
        self.progress = Progress(step=start, total_steps=total, checkpoint_step=self._checkpoint)
        if reporter.enabled:
            self._history.truncate(start)
        self._held_out = {name: said for name in HELD_OUT if (said := self._history.last(to_camel(name))) is not None}
        self._channel_losses: dict[str, str] = self._history.last("channelLosses") or {}
        self.loss = self._last("loss")
        self.eval_loss = self._last("evalLoss")

    def _last(self, field: str) -> float | None:
        """What the steps before this attempt ended with."""
        value = self._history.last(field)
        return None if value is None else float(value)

    def start(self) -> None:
        """The first step begins now."""
        self._meter.start()

    def step(self, figures: StepFigures) -> None:
        """Record one step, and report it when it is due."""
        self._meter.step_done(figures.tokens, figures.flops or 0.0)
        self.loss = figures.loss
        self.eval_loss = self.eval_loss if figures.eval_loss is None else figures.eval_loss
        self._held_out = _of_held_out(figures.of_evaluation) or self._held_out
        of_task = {name: _formatted(value) for name, value in figures.of_task.items()}
        own = of_task.pop("channel_losses", None)
        self._channel_losses |= own or {}
        self.progress = Progress(
            step=figures.step,
            total_steps=self._total,
            percent=100 * figures.step // self._total,
            epoch=f"{self._plan.epoch(figures.step):.2f}",
            loss=f"{figures.loss:.4f}",
            eval_loss=None if self.eval_loss is None else f"{self.eval_loss:.4f}",
            learning_rate=f"{figures.learning_rate:.3g}",
            grad_norm=f"{figures.grad_norm:.3g}",
            tokens_per_second=f"{self._meter.tokens_per_second():.1f}",
            mfu=f"{self._meter.flops_per_second() / self._peak:.4f}" if self._peak and figures.flops else None,
            eta_seconds=self._meter.seconds_left(figures.step),
            checkpoint_step=self._checkpoint,
            channel_losses=self._channel_losses or None,
            **of_task,
            **self._held_out,
        )
        if not self._reporter.enabled:
            return
        shown = self.progress.model_dump(exclude_none=True)
        if figures.step % self._logging_steps == 0 or figures.step == self._total:
            self._reporter.emit(**shown)
        # Full precision: two runs are compared by their histories.
        exact = {"loss": repr(figures.loss), "learning_rate": repr(figures.learning_rate)}
        if figures.eval_loss is None:  # what an earlier step said stays in the progress, and is not its own
            shown = {name: value for name, value in shown.items() if name not in ("eval_loss", *HELD_OUT)}
        else:
            exact["eval_loss"] = repr(figures.eval_loss)
        self._history.append(ProgressEvent(**{**shown, **exact, "channel_losses": own, "time": now()}))

    def phase(self, message: str) -> None:
        """What is going on outside the steps."""
        self._reporter.emit(type="phase", message=message)

    def pause(self, what: str, seconds: float) -> None:
        """Neither a checkpoint nor an evaluation counts as training time; the former is reported."""
        self._meter.pause(seconds)
        if what == "checkpoint":
            self._checkpoint = self.progress.step
            self.progress.checkpoint_step = self._checkpoint
            message = f"saved in {seconds:.1f} s"
            self._reporter.emit(
                type="checkpoint",
                step=self._checkpoint,
                total_steps=self._total,
                checkpoint_step=self._checkpoint,
                message=message,
            )


def _of_held_out(figures: Told) -> dict[str, Any]:
    return {f"eval_{name}": _formatted(value) for name, value in figures.items() if f"eval_{name}" in HELD_OUT}


def _formatted(value: float | Mapping[str, float]) -> Any:
    """As text; where there is one for each of several names, by those."""
    return {name: f"{one:.4f}" for name, one in value.items()} if isinstance(value, Mapping) else f"{value:.4f}"
