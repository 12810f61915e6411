"""How long a server may take to its first token, from the weights that it has to read."""

import math

from swiftlet.engines.catalogue import ENGINES

SLOW_READ = 100e6
"""Bytes per second: a network file system or a download over 1 Gbit/s that others use too."""


def startup_seconds(engine: str, weight_bytes: int | None, is_downloaded: bool) -> int:
    """Longest time from start to the first token that is not yet a failure.

    weight_bytes: what is read; None when nobody knows, which takes the engine's own figure for a large model.
    is_downloaded: the weights come from the hub, so that they are written and read once more.
    """
    known = ENGINES[engine]
    weights = known.assumed_weight_bytes if weight_bytes is None else weight_bytes
    passes = 2 if is_downloaded else 1
    return known.start_seconds + math.ceil(passes * weights / SLOW_READ)
