"""Figures of a run as it goes: loss, tokens per second, time left."""

import math
import time
from collections import deque
from dataclasses import dataclass, field

from swiftlet_trainer.failures import Diverged

WINDOW = 20
"""Steps over which speed is averaged."""


@dataclass
class Meter:
    """Speed over the last steps. Tokens are counted without padding, over all processes."""

    total_steps: int
    _marks: deque[tuple[float, int, float]] = field(default_factory=lambda: deque(maxlen=WINDOW + 1))
    _tokens: int = 0
    _flops: float = 0.0

    def start(self) -> None:
        """The first step begins now."""
        self._marks.append((time.perf_counter(), 0, 0.0))

    def step_done(self, tokens: int, flops: float = 0.0) -> None:
        """A step of `tokens` tokens and so many operations ended now."""
        self._tokens += tokens
        self._flops += flops
        self._marks.append((time.perf_counter(), self._tokens, self._flops))

    def pause(self, seconds: float) -> None:
        """Leave out time that was not training: a checkpoint, an evaluation."""
        self._marks = deque(
            ((moment + seconds, tokens, flops) for moment, tokens, flops in self._marks), maxlen=WINDOW + 1
        )

    def tokens_per_second(self) -> float:
        """0 before the first step."""
        return self._rate(1)

    def flops_per_second(self) -> float:
        """0 before the first step."""
        return self._rate(2)

    def _rate(self, place: int) -> float:
        first, last = self._marks[0], self._marks[-1]
        return (last[place] - first[place]) / (last[0] - first[0]) if last[0] > first[0] else 0.0

    def seconds_left(self, step: int) -> int:
        """Estimated from the mean time of the last steps."""
        steps = len(self._marks) - 1
        if steps < 1:
            return 0
        return math.ceil((self.total_steps - step) * (self._marks[-1][0] - self._marks[0][0]) / steps)


def require_finite(loss: float, step: int) -> None:
    """Raises Diverged when the loss of `step` (from 1), reduced over all processes, is NaN or infinite."""
    if not math.isfinite(loss):
        raise Diverged(
            f"the loss of step {step} is {loss}; lower training.learningRate, set training.maxGradNorm, or look for "
            f"broken rows; the last checkpoint before it is kept"
        )
