"""When a run has to stop: Ctrl-C, SIGTERM, --timeout. Each of them ends the process, whatever it waits for."""

import asyncio
import signal
import time
from contextlib import suppress
from types import FrameType
from typing import Protocol

from swiftlet.cli import exitcodes
from swiftlet.cli.acting.lastresort import LastResort
from swiftlet.local.engine import Engine
from swiftlet.local.leftovers import end_leftovers

HURRY_SECONDS = 0.9
"""From the second signal to the end. In this time the pods are killed, and their state is written."""
DRAIN_SECONDS = 15.0
"""What a drain may take beyond the pods' grace period: their end, the state folder, what is printed."""


class Sayer(Protocol):
    """Where a person is told."""

    def say(self, text: str, warning: bool = False) -> None: ...


class Stop:
    """Whether a person, the system or the time asked to stop. The first signal drains, the second kills."""

    def __init__(self, engine: Engine, view: Sayer, timeout: float | None) -> None:
        """Takes over Ctrl-C and SIGTERM, for good."""
        self.asked = asyncio.Event()
        self.code = exitcodes.OK
        self._engine, self._view = engine, view
        self._until = None if timeout is None else time.monotonic() + timeout
        self._signals = 0
        self._loop = asyncio.get_running_loop()
        self._last_resort = LastResort(lambda: end_leftovers(engine.state, 0.0))
        if timeout is not None:
            self._last_resort.end_within(timeout + DRAIN_SECONDS, exitcodes.TIMEOUT)
        # Not add_signal_handler: that one waits for the event loop, which may itself wait, say for a full pipe.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._signalled)

    @property
    def seconds_left(self) -> float | None:
        """Of the time that was given; None without a limit."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    def out_of_time(self) -> None:
        """The time is over: what follows is a drain."""
        self._last_resort.end_within(self._engine.grace_seconds + DRAIN_SECONDS, exitcodes.TIMEOUT)

    def finished(self) -> None:
        """All has ended in time."""
        if not self._signals:
            self._last_resort.call_off()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals == 1:
            self.code = exitcodes.INTERRUPTED if number == signal.SIGINT else exitcodes.TERMINATED
            self._last_resort.end_within(self._engine.grace_seconds + DRAIN_SECONDS, self.code)
        else:
            self._last_resort.end_within(HURRY_SECONDS, self.code, final=True)
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._drain if self._signals == 1 else self._kill)

    def _drain(self) -> None:
        self._view.say("stopping: pods save their work and end; once more kills them")
        self.asked.set()

    def _kill(self) -> None:
        self._view.say("killing the pods", warning=True)
        self._engine.kill()
