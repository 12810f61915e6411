"""How often one pod may report: a bucket of tokens that fills up again (Turner 1986, leaky bucket as a meter)."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

BURST = 20
"""Reports at once; phases of a start follow each other quickly."""
PER_SECOND = 2.0
"""Reports in the long run. Ours come every 2 s at most, those of transformers every 5 s."""
REMEMBERED = 20000
"""Pods that are kept count of."""


class RateLimit:
    """Counts what comes from each pod, address or resource."""

    def __init__(
        self, burst: float = BURST, per_second: float = PER_SECOND, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._per_second, self._clock = burst, per_second, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_to_wait(self, key: str, at_most: float = math.inf) -> float:
        """0 when one more report of `key` may be taken, which is then counted; else seconds until it may. at_most: a
        second, for now."""
        per_second = min(self._per_second, at_most)
        now = self._clock()
        left, since = self._buckets.get(key, (self._burst, now))
        left = min(self._burst, left + (now - since) * per_second)
        wait = 0.0 if left >= 1 else (1 - left) / per_second
        self._buckets[key] = (left - 1 if wait == 0 else left, now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return wait

    def forget(self, key: str) -> None:
        """The key will not come again."""
        self._buckets.pop(key, None)
