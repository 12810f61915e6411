"""An answer under way: the engine's thread computes it, a reader in the event loop takes it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from swiftlet_trainer.serve.awaited import Awaited
from swiftlet_trainer.serve.request_metrics import Meter, Outcome


@dataclass(frozen=True)
class Sampling:
    """How to choose tokens. temperature 0 is greedy. kept: control tokens that are part of the text. guide: a logits
    processor of this answer alone. is_over: asked with each piece of text; where true, the answer ends behind it."""

    max_tokens: int | None
    temperature: float
    top_p: float
    stops: Sequence[str]
    seed: int | None
    kept: Sequence[str] = ()
    guide: Callable[[Any, Any], Any] | None = None
    is_over: Callable[[str], bool] | None = None


@dataclass
class Usage:
    """What an answer cost, and how it ended; complete when its pieces are through."""

    prompt_tokens: int
    completion_tokens: int = 0
    finish_reason: str = "stop"

    @property
    def is_cut(self) -> bool:
        """Whether there was no room for the rest."""
        return self.finish_reason == "length"


class Answer(Awaited):
    """Pieces of text on their way from the engine to a reader, queued however slowly they are read."""

    def __init__(self, model: str, ids: list[int], sampling: Sampling, limit: int, meter: Meter) -> None:
        super().__init__(model, meter)
        self.ids, self.sampling, self.limit = ids, sampling, limit
        self.usage = Usage(len(ids))
        self._items: asyncio.Queue[str | BaseException | None] = asyncio.Queue()
        self._over = False

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
