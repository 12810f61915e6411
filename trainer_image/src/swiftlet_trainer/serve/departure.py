"""Clients that leave before they were answered: what was done for them ends at once."""

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine
from typing import Any, TypeVar

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

Result = TypeVar("Result")


class ClientLeft(Exception):  # noqa: N818  (what happened, no fault of ours)
    """The connection was closed while the answer was under way."""


async def unless_left(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`. When the client leaves first, `work` is cancelled and ClientLeft raised.

    receive: of a request whose body has been read.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientLeft
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


class EventStream(StreamingResponse):
    """Server-sent events. `ended` is called however the stream ends: read through, left, failed or cancelled."""

    def __init__(self, events: AsyncIterable[str], ended: Callable[[], None]) -> None:
        super().__init__(events, media_type="text/event-stream")
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await unless_left(receive, self.stream_response(send))
        except (ClientLeft, OSError):  # some servers tell it by an OSError of `send`
            pass
        finally:
            self._ended()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
