"""Texts under way: the engine's thread computes the values of each, a reader in the event loop takes them all."""

import asyncio
from collections.abc import Iterable, Sequence

import torch

from swiftlet_trainer.serve.awaited import Awaited
from swiftlet_trainer.serve.request_metrics import Meter, Outcome


class Pooled(Awaited):
    """A request for the values (a vector, or scores) of texts, given as token ids.

    The engine takes texts off it as it has room for them, and puts back what it could not compute.
    """

    def __init__(self, model: str, texts: Sequence[list[int]], meter: Meter) -> None:
        super().__init__(model, meter)
        self.texts = texts
        # The longest last, from where they are taken: texts of like length share a pass.
        self._open = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        self._found: dict[int, torch.Tensor] = {}
        self._over = asyncio.Event()
        self._error: BaseException | None = None

    def take(self) -> int | None:
        """The index of a text to compute; None when all are computed or under way."""
        return self._open.pop() if self._open else None

    def put_back(self, index: int) -> None:
        """The text at `index` was not computed."""
        self._open.append(index)

    def say(self, index: int, values: torch.Tensor) -> bool:
        """Those of the text at `index`; whether all are there now."""
        self._found[index] = values
        return len(self._found) == len(self.texts)

    def end(self, error: BaseException | None = None) -> None:
        """The engine is through with it. error: what the reader shall see raised."""
        if error is None and not self.has_left:
            self.meter.tokens(0)
        self.meter.end(Outcome.ERROR if error else Outcome.ABORT if self.has_left else Outcome.STOP)
        self._tell(self._end, error)

    async def values(self) -> torch.Tensor:
        """Of all texts, fp32, (texts, values), once they are there. Raises what the computation raised."""
        await self._over.wait()
        if self._error:
            raise self._error
        return torch.stack([self._found[index] for index in range(len(self.texts))])

    def _end(self, error: BaseException | None) -> None:
        self._error = error
        self._over.set()


def next_texts(requests: Iterable[Pooled], most_tokens: int) -> list[tuple[Pooled, int]]:
    """Texts to compute together, of each request one after the other until there are `most_tokens`, so that a long
    request does not keep a short one waiting."""
    chosen: list[tuple[Pooled, int]] = []
    tokens, asked = 0, list(requests)
    while asked and tokens < most_tokens:
        having = []
        for request in asked:
            if tokens >= most_tokens or (index := request.take()) is None:
                continue
            chosen.append((request, index))
            having.append(request)
            tokens += len(request.texts[index])
        asked = having
    return chosen
