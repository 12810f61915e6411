"""How many questions about tokens are under way, so that no caller takes the places of others."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

REVIEWS_AT_ONCE = 16
"""Questions to the API server at a time."""
REVIEWS_OF_ADDRESS = 2
"""Of one address, those that wait included. A pod needs one in five minutes."""
REVIEWS_IN_ALL = 256
"""Under way and waiting."""


class BusyError(Exception):
    """Too much at once; come back after `seconds`."""

    def __init__(self, message: str, seconds: float = 2.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class ReviewSlots:
    """Places in the order of arrival, few for each address: a crowd of one address waits by itself."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(REVIEWS_AT_ONCE)
        self._taken: Counter[str] = Counter()

    @asynccontextmanager
    async def of(self, address: str) -> AsyncIterator[None]:
        """A place for one question. Raises BusyError when the address has its share, or all is full."""
        if self._taken.get(address, 0) >= REVIEWS_OF_ADDRESS:
            raise BusyError("too many new tokens of this address at once")
        if self._taken.total() >= REVIEWS_IN_ALL:
            raise BusyError("too many new tokens at once")
        self._taken[address] += 1
        try:
            async with self._free:
                yield
        finally:
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address]
