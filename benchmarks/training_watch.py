"""Figures of a run, taken in the same way from every trainer: the peers build on transformers' Trainer.

Imported in each peer's environment, so it needs nothing but the standard library and what every trainer brings.
"""

import os
import resource
import time
from collections.abc import Callable
from typing import Any

from training_profile import StepProfile

WARM_STEPS = 4
"""Steps in which kernels are compiled and chosen, and memory is asked for."""


class Watch:
    """Notes when steps begin and end, their losses, and the tokens that are not padding."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.ends: list[float] = []
        self.losses: list[float] = []
        self.tokens = 0
        self.tokens_at: list[int] = []
        """At the ends of steps."""
        self.profiled_tokens = 0
        self._profile = StepProfile.asked()
        self._spent: dict[str, float] | None = None

    def step_begins(self) -> None:
        """The first call is where the start ends and the steps begin."""
        self.first = self.first or time.time()

    def step_done(self, last: bool = False) -> None:
        """A step is over; what follows the last one is not part of the figures."""
        self.ends.append(time.time())
        self.tokens_at.append(self.tokens)
        if self._profile and len(self.ends) == 1:
            self._profile.first_step_done()
        if self._profile and last:
            self._spent = self._profile.seconds()

    def attach(self) -> None:
        """Patch transformers' Trainer in this process."""
        from transformers import Trainer
        from transformers.trainer_callback import CallbackHandler

        _before(CallbackHandler, "on_step_begin", lambda *_: self.step_begins())
        _before(CallbackHandler, "on_step_end", self._step_ends)
        _before(Trainer, "training_step", self._batch_begins)
        plain = Trainer.training_step

        def training_step(trainer: Any, *arguments: Any, **named: Any) -> Any:
            loss = plain(trainer, *arguments, **named)
            self.losses.append(float(loss.detach()))
            return loss

        Trainer.training_step = training_step

    def _step_ends(self, _handler: Any, _arguments: Any, state: Any, *_: Any) -> None:
        self.step_done(last=state.global_step >= state.max_steps)

    def _batch_begins(self, trainer: Any, _model: Any, inputs: Any, *_: Any) -> None:
        self.count(self.useful(trainer, inputs))

    def useful(self, _trainer: Any, inputs: Any) -> int:
        """Tokens of the batch that are not padding."""
        return useful_tokens(inputs)

    def count(self, tokens: int) -> None:
        """So many tokens, without padding, are in the batch at hand."""
        self.tokens += tokens
        self.profiled_tokens += tokens if self.ends else 0

    def figures(self) -> dict[str, Any]:
        """What is reported of the run: seconds of the steps, useful tokens, losses, the mean of the last four."""
        assert self.first is not None, "no step has begun"
        profiled = {"profile": self._spent, "profiled_tokens": self.profiled_tokens} if self._spent else {}
        warm = {}
        if len(self.ends) > 2 * WARM_STEPS:
            seconds = self.ends[-1] - self.ends[WARM_STEPS - 1]
            warm["warm_tokens_per_second"] = (self.tokens - self.tokens_at[WARM_STEPS - 1]) / seconds
        return {
            **profiled,
            **warm,
            "seconds": self.ends[-1] - self.first,
            "first_step_seconds": self.ends[0] - self.first,
            "steps": len(self.ends),
            "loss": sum(self.losses[-4:]) / len(self.losses[-4:]),
            "losses": self.losses,
            "tokens": self.tokens,
            "start_seconds": self.first - float(os.environ["BENCH_STARTED"]),
            "peak_mib": peak_mib(),
        }


def peak_mib() -> float:
    """The most memory that this process had: of the GPU where it used one, of the machine otherwise."""
    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def useful_tokens(inputs: Any) -> int:
    """Tokens of a batch that its mask does not call padding; all of them without a mask."""
    mask = inputs.get("attention_mask")
    if mask is None:
        return int(inputs["input_ids"].numel())
    if mask.dim() == 2:
        return int(mask.ne(0).sum())
    # Four dimensions: what a token may see. A token sees itself unless it is padding; additive masks have 0 there.
    seen = mask.diagonal(dim1=-2, dim2=-1)
    return int((seen if seen.dtype.is_floating_point is False else seen.eq(0)).sum())


def _before(kind: Any, name: str, told: Callable[..., None]) -> None:
    plain = getattr(kind, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        told(*arguments)
        return plain(*arguments, **named)

    setattr(kind, name, wrapped)
