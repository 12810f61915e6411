"""Weights that ZeRO-3 has sharded, for those who read them elsewhere than in the pass of the module that owns them.

DeepSpeed gathers a module's own weights while the module's pass runs, and no others. Source: DeepSpeed, "Training Large
Models", registering external parameters and gathering parameters.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


def is_sharded(weight: Any) -> bool:
    """Whether a process holds a part of it, or nothing, outside of passes."""
    return hasattr(weight, "ds_id")


@contextmanager
def whole(weights: Iterable[Any]) -> Iterator[None]:
    """Within, all processes have the whole of `weights`, to read them. Those that are not sharded stay as they are."""
    sharded = [weight for weight in weights if is_sharded(weight)]
    if not sharded:
        yield
        return
    import deepspeed

    with deepspeed.zero.GatheredParameters(sharded):
        yield


def read_by(module: Any, weights: Iterable[Any]) -> None:
    """Have ZeRO-3 gather `weights`, which are other modules' own, for the passes of `module` too, in both directions.
    They may become sharded later; before the engine is made.

    DeepSpeed finds out by itself about a weight that is not there when it is read. One that happens to be there, since
    another pass has just had it, would be missing on the way back.
    """
    import deepspeed

    for weight in weights:
        deepspeed.zero.register_external_parameter(module, weight)
