"""An answer under way: the engine's thread computes it, a reader in the event loop takes it."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from swiftlet_trainer.serve.request_metrics import Meter, Outcome


@dataclass(frozen=True)
class Sampling:
    """How to choose tokens. temperature 0 is greedy."""

    max_tokens: int | None
    temperature: float
    top_p: float
    stops: Sequence[str]
    seed: int | None


@dataclass
class Usage:
    """What an answer cost, and how it ended; complete when its pieces are through."""

    prompt_tokens: int
    completion_tokens: int = 0
    finish_reason: str = "stop"


class Answer:
    """Pieces of text on their way from the engine to a reader. Made in the reader's event loop.

    Neither side holds anything that the other waits for: pieces are queued however slowly they are read, and a reader
    that goes says so by `leave`, at which the computation ends with its next token, or never begins.
    """

    def __init__(self, model: str, ids: list[int], sampling: Sampling, limit: int, meter: Meter) -> None:
        self.model, self.ids, self.sampling, self.limit, self.meter = model, ids, sampling, limit, meter
        self.usage = Usage(len(ids))
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[str | BaseException | None] = asyncio.Queue()
        self._begun, self._left = asyncio.Event(), threading.Event()
        self._over = False

    def begin(self) -> bool:
        """The engine takes it up; False when nobody waits for it any more."""
        self._tell(self._begun.set)
        if self.has_left:
            return False
        self.meter.begin()
        return True

    def count_token(self) -> None:
        """The engine has made one more token, whether or not it shows."""
        self.usage.completion_tokens += 1
        self.meter.tokens(1)

    def say(self, piece: str) -> None:
        """The engine has more text."""
        self._tell(self._items.put_nowait, piece)

    def end(self, error: BaseException | None = None) -> None:
        """The engine is through with it. error: what the reader shall see raised."""
        finished = Outcome.ABORT if self.has_left else Outcome(self.usage.finish_reason)
        self.meter.end(Outcome.ERROR if error else finished)
        self._tell(self._items.put_nowait, error)

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

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        item = None if self._over else await self._items.get()
        if isinstance(item, str):
            return item
        self._over = True
        if item is None:
            raise StopAsyncIteration
        raise item

    def _tell(self, what: Callable[..., Any], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:  # the loop is closed, hence the reader is gone
            self.leave()
