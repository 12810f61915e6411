"""Keys that want a look: each waits at most once, and nobody works on a key twice at a time.

Source of the semantics: client-go, util/workqueue (sets `dirty` and `processing`, rate limiter per item).
"""

import asyncio
import random
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_RETRY = 0.005
LONGEST_RETRY = 300.0
"""Seconds before a key is tried again after errors: 5 ms, doubled each time, up to 5 minutes."""


def retry_delay(failures: int, jitter: float, longest: float = LONGEST_RETRY) -> float:
    """Seconds before the retry after `failures` errors in a row. jitter: in [0, 1), spreads the delay over 80 to 120 %
    so that keys that failed together do not come back together."""
    return min(FIRST_RETRY * 2.0 ** min(failures - 1, 32), longest) * (0.8 + 0.4 * jitter)


class WorkQueue(Generic[K]):
    """A set of keys in the order in which they were added, now or for later.

    `get` takes a key out and `done` gives it back; a key that is added in between waits until it was given back.
    """

    def __init__(
        self,
        on_depth: Callable[[int], None] = lambda depth: None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """on_depth: told the number of waiting keys whenever it changes."""
        self._ready: dict[K, float] = {}
        self._later: dict[K, asyncio.TimerHandle] = {}
        self._working: set[K] = set()
        self._again: dict[K, float] = {}
        self._failures: dict[K, int] = {}
        self._held: dict[K, float] = {}
        self._getters: list[asyncio.Future[None]] = []
        self._on_depth = on_depth
        self._jitter = jitter

    def add(self, key: K) -> None:
        """Look at `key` soon; one that was told to wait is looked at when that time is over."""
        now = asyncio.get_running_loop().time()
        if self._held.get(key, now) > now:
            self.add_after(key, self._held[key] - now)
            return
        if key in self._working:
            self._again.setdefault(key, now)
            return
        if key in self._ready:
            return
        self._ready[key] = now
        self._on_depth(len(self._ready))
        self._wake()

    def add_after(self, key: K, seconds: float) -> None:
        """Look at `key` in `seconds`, or sooner when that was asked for already."""
        loop = asyncio.get_running_loop()
        waiting = self._later.get(key)
        if waiting is not None:
            if waiting.when() <= loop.time() + seconds:
                return
            waiting.cancel()
        self._later[key] = loop.call_later(max(0.0, seconds), self._due, key)

    def retry(self, key: K, at_least: float = 0.0) -> float:
        """Look at `key` again after an error, later with each error in a row. Returns the seconds until then.

        at_least: seconds that the server asked for; nothing that happens meanwhile brings the look forward.
        """
        self._failures[key] = self._failures.get(key, 0) + 1
        if at_least > 0:
            self._held[key] = asyncio.get_running_loop().time() + at_least
        delay = max(at_least, retry_delay(self._failures[key], self._jitter()))
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """The key is well: its next error counts as the first."""
        self._failures.pop(key, None)
        self._held.pop(key, None)

    async def get(self) -> tuple[K, float]:
        """The next key and the seconds that it has waited. Give it back with `done`."""
        while not self._ready:
            getter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                if getter in self._getters:
                    self._getters.remove(getter)
                elif self._ready:
                    self._wake()  # the key that it was woken for is for somebody else
                raise
        key = next(iter(self._ready))
        since = self._ready.pop(key)
        self._working.add(key)
        self._on_depth(len(self._ready))
        return key, asyncio.get_running_loop().time() - since

    def done(self, key: K) -> None:
        """The look at `key` is over; if it was added meanwhile it waits again."""
        self._working.discard(key)
        since = self._again.pop(key, None)
        if since is None or key in self._ready:
            return
        if key in self._held:
            self.add(key)
            return
        self._ready[key] = since
        self._on_depth(len(self._ready))
        self._wake()

    def empty(self) -> bool:
        """Whether nothing is to be looked at now."""
        return not self._ready

    def idle(self) -> bool:
        """Whether nothing waits and nothing is being looked at."""
        return not self._ready and not self._working

    def close(self) -> None:
        """Forget everything that is waiting."""
        for waiting in self._later.values():
            waiting.cancel()
        for forgotten in (self._later, self._ready, self._again, self._failures, self._held):
            forgotten.clear()

    def _due(self, key: K) -> None:
        self._later.pop(key, None)
        self.add(key)

    def _wake(self) -> None:
        while self._getters:
            getter = self._getters.pop(0)
            if not getter.done():
                getter.set_result(None)
                return
