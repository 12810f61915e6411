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
    _marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=WINDOW + 1))
    _tokens: int = 0

    def start(self) -> None:
        """The first step begins now."""
        self._marks.append((time.perf_counter(), 0))

    def step_done(self, tokens: int) -> None:
        """A step of `tokens` tokens ended now."""
        self._tokens += tokens
        self._marks.append((time.perf_counter(), self._tokens))

    def pause(self, seconds: float) -> None:
        """Leave out time that was not training: a checkpoint, an evaluation."""
        self._marks = deque(((moment + seconds, tokens) for moment, tokens in self._marks), maxlen=WINDOW + 1)

    def tokens_per_second(self) -> float:
        """0 before the first step."""
        (start, first), (end, last) = self._marks[0], self._marks[-1]
        return (last - first) / (end - start) if end > start else 0.0

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
