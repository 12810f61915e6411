"""Parts of the page that are read anew while they are seen."""

from collections.abc import Callable
from typing import Generic, TypeVar, cast

from nicegui import run, ui

from swiftlet.cli.errors import CommandError
from swiftlet.cluster.errors import ClusterError, RefusedError

Found = TypeVar("Found")


class Live(Generic[Found]):
    """Reads in a thread, draws what was read, and tells what went wrong in its place.

    What could not be read for the moment stays as it was, below the reason; what the reader may not see does not stay.
    """

    def __init__(
        self,
        read: Callable[[], Found],
        make: Callable[[], Callable[[Found], None]],
        every: float,
        is_seen: Callable[[], bool] = lambda: True,
    ) -> None:
        """make: makes the elements, and gives what fills them from each reading. every: seconds."""
        self._read, self._make, self._is_seen = read, make, is_seen
        self._draw: Callable[[Found], None] | None = None
        self._trouble = ui.label().classes("trouble").props("role=alert")
        self._trouble.set_visibility(False)
        self._place = ui.element("div").classes("place")
        self._reads = False
        ui.timer(every, self.refresh)

    async def refresh(self) -> None:
        """Read and draw once, unless nobody looks or a reading is still on its way."""
        if self._reads or not self._is_seen():
            return
        self._reads = True
        try:
            found = cast(Found, await run.io_bound(self._read))
        except (CommandError, ClusterError, OSError) as error:
            self._tell(error)
            return
        finally:
            self._reads = False
        self._trouble.set_visibility(False)
        with self._place:
            if self._draw is None:
                self._draw = self._make()
            self._draw(found)

    def _tell(self, error: Exception) -> None:
        self._trouble.set_text(told(error))
        self._trouble.set_visibility(True)
        if is_forbidden(error):
            self._place.clear()
            self._draw = None


def is_forbidden(error: Exception) -> bool:
    """Whether the API server knows the reader and says no."""
    return isinstance(error, RefusedError) and error.code in (401, 403)


def told(error: Exception) -> str:
    """A failure as the page says it: a refusal with its number first."""
    return f"{error.code} {error.reason}: {error}" if isinstance(error, RefusedError) else str(error)
