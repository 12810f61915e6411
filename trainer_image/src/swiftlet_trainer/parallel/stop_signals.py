"""What a node's first process does when it is told to stop: its training processes hear of it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

STOPPING = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def passed_on() -> Iterator[list[int]]:
    """Pass these signals on to the training processes; they agree on a checkpoint and leave. Within: those that have
    come, also before there was a process to hear them."""
    come: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        come.append(number)
        _tell_children(number)

    previous = {number: signal.signal(number, pass_on) for number in STOPPING}
    try:
        yield come
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _tell_children(number: int) -> None:
    for child in psutil.Process().children():
        try:
            child.send_signal(number)
        except psutil.NoSuchProcess:
            continue
