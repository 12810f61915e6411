"""SIGTERM: noted when it comes, acted on between two steps."""

import signal
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Whether this process was asked to stop."""

    def __init__(self) -> None:
        self.requested = False

    def listen(self) -> None:
        """Note SIGTERM and SIGINT from now on, instead of dying of them."""
        for number in STOPPING:
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
