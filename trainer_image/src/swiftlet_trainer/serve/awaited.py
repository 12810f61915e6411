"""A request under way: the engine's thread works on it, a reader in the event loop waits for what comes of it."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from swiftlet_trainer.serve.request_metrics import Meter


class Awaited:
    """What both sides say of a request to the model called `model`. Made in the reader's event loop.

    Neither side holds anything that the other waits for: a reader that goes says so by `leave`, at which the
    computation ends, or never begins.
    """

    def __init__(self, model: str, meter: Meter) -> None:
        self.model, self.meter = model, meter
        self._loop = asyncio.get_running_loop()
        self._begun, self._left = asyncio.Event(), threading.Event()

    def begin(self) -> bool:
        """The engine takes it up; False when nobody waits for it any more."""
        self._tell(self._begun.set)
        if self.has_left:
            return False
        self.meter.begin()
        return True

    async def begun(self, seconds: float) -> bool:
        """Wait until the engine takes it up; False when that takes longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._begun.wait()
        except TimeoutError:
            return False
        return True

    def leave(self) -> None:
        """Nobody reads it any more. May be said at any time, also behind its end."""
        self._left.set()
        self.meter.leave()

    @property
    def has_left(self) -> bool:
        """Whether its reader is gone."""
        return self._left.is_set()

    def _tell(self, what: Callable[..., Any], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:  # the loop is closed, hence the reader is gone
            self.leave()
