"""Learning rate over a run."""

import math
from collections.abc import Callable

from swiftlet.api.v1alpha1.training import Training


def warmup_steps(ratio: float, total_steps: int) -> int:
    """Steps until the learning rate reaches its peak."""
    return math.ceil(ratio * total_steps)


def learning_rate_factor(training: Training, total_steps: int) -> Callable[[int], float]:
    """Factor on the peak learning rate, by steps done: rising in equal parts, then as `training.lrScheduler` says.

    Unlike transformers' schedules the first step's factor is not 0, so no step of a short run is wasted; from the peak
    on, the curves are the same (half a cosine, or a line, that would reach 0 after the last step).
    """
    warmup = warmup_steps(training.warmup_ratio, total_steps)

    def factor(done: int) -> float:
        if done < warmup:
            return (done + 1) / warmup
        left = 1 - min(1.0, (done - warmup) / max(1, total_steps - warmup))
        shapes = {"constant": 1.0, "linear": left, "cosine": 0.5 * (1 - math.cos(math.pi * left))}
        return shapes[training.lr_scheduler]

    return factor
