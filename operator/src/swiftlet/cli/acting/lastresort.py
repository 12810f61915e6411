"""The last resort: this process ends at a set time, whatever its main thread does or awaits."""

import os
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import NamedTuple


class _Order(NamedTuple):
    moment: float
    """Of time.monotonic."""
    code: int
    final: bool


class LastResort:
    """Waits in a thread of its own. Every method may be called from a signal handler."""

    def __init__(self, before: Callable[[], object]) -> None:
        """before: called ahead of the end, to take along what this process has started."""
        self._before = before
        self._orders: SimpleQueue[_Order] = SimpleQueue()
        threading.Thread(target=self._serve, name="last resort", daemon=True).start()

    def end_within(self, seconds: float, code: int, final: bool = False) -> None:
        """End with the exit code unless it has ended by then. The newest order counts, a final one for good."""
        self._orders.put(_Order(time.monotonic() + seconds, code, final))

    def call_off(self) -> None:
        """Nothing is to be ended any more."""
        self.end_within(threading.TIMEOUT_MAX, 0)

    def _serve(self) -> None:
        order = self._orders.get()
        while not order.final:
            try:
                left = max(0.0, order.moment - time.monotonic())
                order = self._orders.get(timeout=min(left, threading.TIMEOUT_MAX))
            except Empty:
                break
        time.sleep(max(0.0, order.moment - time.monotonic()))
        try:
            self._before()
        finally:
            os._exit(order.code)
