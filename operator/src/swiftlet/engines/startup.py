"""How long a server may take to its first token, from the weights that it has to read."""

import math

from swiftlet.api.v1alpha1.engines.registry import planned_engine

SLOW_READ = 100e6
"""Bytes per second: a network file system or a download over 1 Gbit/s that others use too."""
FURTHER_GPU_SECONDS = 15
"""For each GPU beyond the first: a process of its own imports the engine, joins NCCL's group and captures its graphs,
on the cores of one pod."""


def startup_seconds(engine: str, weight_bytes: int | None, is_downloaded: bool, gpus: int = 0) -> int:
    """Longest time from start to the first token that is not yet a failure. Unmeasured on several GPUs.

    weight_bytes: what is read; None when nobody knows, which takes the engine's own figure for a large model, once for
    each GPU that such a model might need. is_downloaded: the weights come from the hub, so that they are written and
    read once more.
    """
    known, further = planned_engine(engine), max(0, gpus - 1)
    weights = known.assumed_weight_bytes * (1 + further) if weight_bytes is None else weight_bytes
    passes = 2 if is_downloaded else 1
    return known.start_seconds + further * FURTHER_GPU_SECONDS + math.ceil(passes * weights / SLOW_READ)
