"""Keys that want a look, each at most once at a time."""

import asyncio
from typing import Generic, TypeVar

K = TypeVar("K")


class WorkQueue(Generic[K]):
    """A set of keys in the order in which they were added, now or for later. Source: client-go workqueue."""

    def __init__(self) -> None:
        self._ready: dict[K, None] = {}
        self._later: dict[K, asyncio.TimerHandle] = {}
        self._filled = asyncio.Event()

    def add(self, key: K) -> None:
        """Look at `key` soon."""
        self._ready.setdefault(key)
        self._filled.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Look at `key` in `seconds`, or sooner when that was asked for already."""
        loop = asyncio.get_running_loop()
        waiting = self._later.get(key)
        if waiting is not None:
            if waiting.when() <= loop.time() + seconds:
                return
            waiting.cancel()
        self._later[key] = loop.call_later(max(0.0, seconds), self._due, key)

    async def get(self) -> K:
        """The next key."""
        while not self._ready:
            self._filled.clear()
            await self._filled.wait()
        key = next(iter(self._ready))
        del self._ready[key]
        return key

    def empty(self) -> bool:
        """Whether nothing is to be looked at now."""
        return not self._ready

    def close(self) -> None:
        """Forget everything that is waiting."""
        for waiting in self._later.values():
            waiting.cancel()
        self._later.clear()
        self._ready.clear()

    def _due(self, key: K) -> None:
        self._later.pop(key, None)
        self.add(key)
