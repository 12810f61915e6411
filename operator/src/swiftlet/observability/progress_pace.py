"""When a report of progress is worth a look at its resource, and so perhaps a write of its status.

A thousand running jobs report for days; what their reports cost must not grow with their number. Two budgets, one for
what people wait for (phases, checkpoints, first and last figures) and one for figures in between, are each given out in
the order in which looks became due; a report that says nothing new asks for none.
"""

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

from swiftlet.kinds.frame.progress_news import News, news
from swiftlet.observability.progress import ProgressBoard
from swiftlet.observability.progress_rates import PER_SECOND, RateLimit

LEAST_SECONDS = 2.0
"""Between two looks at one resource that only reports ask for: a status write for each step would be many."""
FIGURES_PER_SECOND = 5.0
"""Looks for figures, at all resources together."""
TURNS_PER_SECOND = 10.0
"""Looks for what people wait for, at all resources together."""
TURNS_AT_ONCE = 20
"""Of one resource; further ones count as figures, and one more is granted every TURN_SECONDS."""
TURN_SECONDS = 10.0
CLOCK_SECONDS = 0.001
"""The loop may call a little early, by the resolution of its clock."""

REPORTS_PER_SECOND = 50.0
"""Of all pods together, as far as they do what they are asked to."""
LONGEST_INTERVAL = 60.0
MOST_PER_SECOND = 200.0
"""Reports that are taken, of all pods together, from pods that do not do what they are asked to, such as older ones."""


def report_seconds(reporting: int) -> float:
    """How often a pod is asked to report while this many do: a report costs about half a millisecond."""
    return min(max(LEAST_SECONDS, reporting / REPORTS_PER_SECOND), LONGEST_INTERVAL)


def pod_rate(reporting: int) -> float:
    """Reports a second that one pod may send in the long run while this many report."""
    return min(PER_SECOND, MOST_PER_SECOND / max(1, reporting))


def figure_seconds(reporting: int) -> float:
    """Least time between two looks at one resource for the sake of figures while this many report."""
    return max(LEAST_SECONDS, reporting / FIGURES_PER_SECOND)


class ProgressPace:
    """Listens to a board, and asks for looks by the uid of a resource."""

    def __init__(
        self, board: ProgressBoard, stored: Callable[[str], dict[str, Any]], ask: Callable[[str], None]
    ) -> None:
        """stored: the progress in a resource's status, as far as it was written by whoever led before."""
        self._board, self._stored = board, stored
        self._shown: dict[str, tuple[dict[str, Any], float]] = {}
        """What the last look at a resource has seen, and when."""
        self._figures, self._turns = _Line(FIGURES_PER_SECOND, ask), _Line(TURNS_PER_SECOND, ask)
        self._turn_rates = RateLimit(TURNS_AT_ONCE, 1 / TURN_SECONDS)

    def read(self, uid: str) -> dict[str, Any] | None:
        """What a look at the resource is to show. It counts as shown: a look that fails is repeated."""
        merged = self._board.of(uid)
        if merged is not None:
            self._shown[uid] = merged, asyncio.get_running_loop().time()
            self._figures.drop(uid)
            self._turns.drop(uid)
        return merged

    def reported(self, uid: str) -> None:
        """There is a new report."""
        merged = self._board.of(uid)
        if merged is None:
            return
        if uid not in self._shown:
            self._shown[uid] = self._stored(uid), 0.0
        shown, looked = self._shown[uid]
        found = news(shown, merged)
        if found is News.TURN and not self._turn_rates.seconds_to_wait(uid):
            self._turns.add(uid, looked + LEAST_SECONDS)
        elif found >= News.PERCENT:
            self._figures.add(uid, looked + LEAST_SECONDS)
        elif found is News.FIGURES:
            self._figures.add(uid, looked + figure_seconds(self._board.reporting))

    def forget(self, uid: str) -> None:
        """The resource is gone."""
        self._shown.pop(uid, None)
        self._turn_rates.forget(uid)
        for line in (self._figures, self._turns):
            line.drop(uid)

    def close(self) -> None:
        """Ask for nothing more."""
        for line in (self._figures, self._turns):
            line.close()


class _Line:
    """Asks for looks in the order in which they are due, and for so many a second at most."""

    def __init__(self, per_second: float, ask: Callable[[str], None]) -> None:
        self._pause, self._ask = 1 / per_second, ask
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._free_at = 0.0
        """When the next look may be asked for."""
        self._timer: asyncio.TimerHandle | None = None

    def add(self, uid: str, due: float) -> None:
        """Ask for a look at `due` (of the loop's clock), or sooner when that was wanted already."""
        if uid in self._due and self._due[uid] <= due:
            return
        self._due[uid] = due
        heapq.heappush(self._heap, (due, uid))
        self._arm()

    def drop(self, uid: str) -> None:
        """No look is wanted any more."""
        if self._due.pop(uid, None) is not None and len(self._heap) > 2 * len(self._due) + 16:
            self._heap = sorted((due, uid) for uid, due in self._due.items())

    def close(self) -> None:
        self._due.clear()
        self._arm()

    def _head(self) -> float | None:
        """When the first look that is still wanted may be asked for."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return max(self._heap[0][0], self._free_at) if self._heap else None

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        head = self._head()
        if head is not None:
            self._timer = asyncio.get_running_loop().call_at(head, self._next)

    def _next(self) -> None:
        self._timer = None
        head, now = self._head(), asyncio.get_running_loop().time()
        if head is not None and head <= now + CLOCK_SECONDS:
            uid = heapq.heappop(self._heap)[1]
            del self._due[uid]
            self._free_at = now + self._pause
            self._ask(uid)
        self._arm()
