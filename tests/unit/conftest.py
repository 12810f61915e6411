"""A clock for what only waits: seconds pass at once, so that a busy machine changes nothing."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


class _Clockwork(selectors.DefaultSelector):
    """Where nothing is ready, the time of what is due next has come."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout is not None:
            self.now += timeout
        return ready


class _VirtualTime(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clockwork = _Clockwork()
        super().__init__(self._clockwork)

    def time(self) -> float:
        return self._clockwork.now


@pytest.fixture
def in_virtual_time() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Like `asyncio.run`, with a clock that stands still while anything is to be done and else goes on to what is due
    next. For tasks and timers only: it does not wait for threads, processes or other ends of connections."""

    def run(scenario: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=_VirtualTime) as runner:
            return runner.run(scenario)

    return run
