"""Keys that want a look: each waits at most once, and nobody works on a key twice at a time.

Keys wait in lanes: what has changed goes before what is there since long, and that before reports of progress.

Source of the semantics: client-go, util/workqueue (sets `dirty` and `processing`, rate limiter per item).
"""

import asyncio
import random
from collections.abc import Callable, Hashable
from enum import IntEnum
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_RETRY = 0.005
LONGEST_RETRY = 300.0
"""Seconds before a key is tried again after errors: 5 ms, doubled each time, up to 5 minutes."""
TURN = 16
"""Every so many keys, the one that has waited longest goes first, whatever its lane: no lane starves."""


class Lane(IntEnum):
    """What a key waits for; the smaller goes first."""

    CHANGE = 0
    """Something has happened, or is due."""
    FIRST = 1
    """A resource that was there when the operator began to work."""
    PROGRESS = 2
    """Pods have reported figures, and nothing else has happened."""


class _Asked(NamedTuple):
    lane: Lane
    since: float


def retry_delay(failures: int, jitter: float, longest: float = LONGEST_RETRY, first: float = FIRST_RETRY) -> float:
    """Seconds before the retry after `failures` errors in a row. jitter: in [0, 1), spreads the delay over 80 to 120 %
    so that keys that failed together do not come back together."""
    return min(first * 2.0 ** min(failures - 1, 32), longest) * (0.8 + 0.4 * jitter)


class WorkQueue(Generic[K]):
    """A set of keys, by lane in the order in which they were added, now or for later.

    `get` takes a key out and `done` gives it back; a key that is added in between waits until it was given back.
    """

    def __init__(
        self,
        on_depth: Callable[[int], None] = lambda depth: None,
        jitter: Callable[[], float] = random.random,
        retries: tuple[float, float] = (FIRST_RETRY, LONGEST_RETRY),
    ) -> None:
        """on_depth: told the number of waiting keys whenever it changes. retries: the first and the longest pause after
        errors, in seconds."""
        self._ready: dict[Lane, dict[K, float]] = {lane: {} for lane in Lane}
        self._later: dict[K, asyncio.TimerHandle] = {}
        self._working: set[K] = set()
        self._again: dict[K, _Asked] = {}
        self._failures: dict[K, int] = {}
        self._held: dict[K, float] = {}
        self._getters: list[asyncio.Future[None]] = []
        self._on_depth = on_depth
        self._jitter = jitter
        self._first_retry, self._longest_retry = retries
        self._taken = 0

    def add(self, key: K, lane: Lane = Lane.CHANGE) -> None:
        """Look at `key` soon; one that was told to wait is looked at when that time is over."""
        now = asyncio.get_running_loop().time()
        if self._held.get(key, now) > now:
            self.add_after(key, self._held[key] - now)
        elif key in self._working:
            asked = self._again.get(key)
            if asked is None or lane < asked.lane:
                self._again[key] = _Asked(lane, now)
        else:
            self._line_up(key, _Asked(lane, now))

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
        delay = max(at_least, retry_delay(self._failures[key], self._jitter(), self._longest_retry, self._first_retry))
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """The key is well: its next error counts as the first."""
        self._failures.pop(key, None)
        self._held.pop(key, None)

    async def get(self) -> tuple[K, float]:
        """The next key and the seconds that it has waited. Give it back with `done`."""
        while self.empty():
            getter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                if getter in self._getters:
                    self._getters.remove(getter)
                elif not self.empty():
                    self._wake()  # the key that it was woken for is for somebody else
                raise
        key, since = self._next()
        self._working.add(key)
        self._on_depth(len(self))
        return key, asyncio.get_running_loop().time() - since

    def _next(self) -> tuple[K, float]:
        """Take out the first key of the first lane, or in its turn the one that has waited longest."""
        heads = [(lane, *next(iter(waiting.items()))) for lane, waiting in self._ready.items() if waiting]
        self._taken += 1
        is_turn = self._taken % TURN == 0
        lane, key, since = min(heads, key=lambda head: head[2]) if is_turn else heads[0]
        del self._ready[lane][key]
        return key, since

    def done(self, key: K) -> None:
        """The look at `key` is over; if it was added meanwhile it waits again."""
        self._working.discard(key)
        asked = self._again.pop(key, None)
        if asked is None:
            return
        if key in self._held:
            self.add(key, asked.lane)
        else:
            self._line_up(key, asked)

    def __len__(self) -> int:
        """How many keys are to be looked at now."""
        return sum(map(len, self._ready.values()))

    def empty(self) -> bool:
        """Whether nothing is to be looked at now."""
        return not any(self._ready.values())

    def idle(self) -> bool:
        """Whether nothing waits and nothing is being looked at."""
        return self.empty() and not self._working

    def close(self) -> None:
        """Forget everything that is waiting."""
        for waiting in self._later.values():
            waiting.cancel()
        for waiting_keys in self._ready.values():
            waiting_keys.clear()
        for forgotten in (self._later, self._again, self._failures, self._held):
            forgotten.clear()

    def _line_up(self, key: K, asked: _Asked) -> None:
        """Let a key that nobody works on wait in a lane, unless it does in that one or a better one."""
        lane = next((lane for lane, waiting in self._ready.items() if key in waiting), None)
        if lane is not None and lane <= asked.lane:
            return
        if lane is not None:
            del self._ready[lane][key]
        self._ready[asked.lane][key] = asked.since
        self._on_depth(len(self))
        self._wake()

    def _due(self, key: K) -> None:
        self._later.pop(key, None)
        self.add(key)

    def _wake(self) -> None:
        while self._getters:
            getter = self._getters.pop(0)
            if not getter.done():
                getter.set_result(None)
                return
