"""Hands the history of a run to a tracker as it grows, and begins where an earlier attempt has ended.

The history is a file that the training processes write anyway, so that nothing of a step waits for a tracker. Steps
that a resumed run takes again are those that were told before, and are not told twice.
"""

import json
import os
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Literal

from swiftlet_trainer.tracking.tracked_run import Ending, Point, TrackedRun, Tracker, point_of

Reason = Literal["Reporting", "TrackerFailed"]

PACE = 2.0
"""Seconds between two looks."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds without a try after a failure; doubled with each."""
MOST_POINTS = 500
"""Steps of one request."""
AGAIN = "the run goes on, and it is tried again"
LACKS = "the attempt is over, and this tracker lacks its last steps"
"""What follows from a failure while the attempt goes on, and at its end."""
LONGEST_WHY = 300
"""Characters of an exception that are told."""


class Follower:
    """One tracker of one run."""

    def __init__(
        self,
        tracker: Tracker,
        run: TrackedRun,
        history: Path,
        told: Path,
        tell: Callable[[Reason, str], None],
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        """told: file with the last step that the tracker has. tell: called when the tracker is reached, and when it is
        not any more."""
        self._tracker, self._run, self._history, self._told, self._tell = tracker, run, history, told, tell
        self._first_pause = self._pause = first_pause
        self._where: str | None = None
        self._said: tuple[Reason, str] | None = None
        """Reason, and what follows from it."""
        self._file = self._read = 0
        """The history's inode, and its bytes that are told."""

    def turn(self, after: str = AGAIN) -> float:
        """Tell what is new. Seconds until the next turn; whatever the client raises is told once, with what comes after
        it."""
        try:
            if self._where is None:
                self._where = self._tracker.open(self._run)
            self._say("Reporting", self._where)
            while points := self._news():
                self._tracker.log(points)
                self._remember(points[-1].step)
        except Exception as error:
            self._say("TrackerFailed", _words(error), after)
            pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
            return pause
        self._pause = self._first_pause
        return PACE

    def end(self, ending: Ending) -> None:
        """Tell the rest, and that the attempt is over."""
        self.turn(LACKS)
        if self._said != ("Reporting", ""):
            return
        try:
            self._tracker.close(ending)
        except Exception as error:
            self._say("TrackerFailed", _words(error), "it has every step, and does not know that the run has ended")

    def _news(self) -> list[Point]:
        """Steps that the tracker does not have, of whole lines."""
        last = int(self._told.read_text()) if self._told.is_file() else 0
        found: list[Point] = []
        for line, end in self._lines():
            point = point_of(json.loads(line))
            if point.step > last:
                found.append(point)
                if len(found) == MOST_POINTS:
                    break
            elif not found:
                self._read = end
        return found

    def _lines(self) -> list[tuple[bytes, int]]:
        """What follows what is told, each line with where it ends."""
        try:
            with self._history.open("rb") as stream:
                about = os.fstat(stream.fileno())
                if about.st_ino != self._file or about.st_size < self._read:  # another attempt has cut it
                    self._file, self._read = about.st_ino, 0
                stream.seek(self._read)
                lines = [line for line in stream.readlines() if line.endswith(b"\n")]
        except FileNotFoundError:
            return []
        return list(zip(lines, accumulate(map(len, lines), initial=self._read), strict=False))

    def _remember(self, step: int) -> None:
        self._told.parent.mkdir(parents=True, exist_ok=True)
        staged = self._told.with_suffix(".tmp")
        staged.write_text(str(step), encoding="ascii")
        staged.replace(self._told)

    def _say(self, reason: Reason, message: str, after: str = "") -> None:
        if (reason, after) != self._said:
            self._said = reason, after
            self._tell(reason, f"{message}; {after}" if after else message)


def _words(error: Exception) -> str:
    """What is told of an exception, in one line."""
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed here; the images of `make images` have it, as swiftlet[trackers] does"
    return " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST_WHY]


def follow(follower: Follower, ended: Callable[[float], Ending | None]) -> None:
    """Take turns until the attempt is over. ended: waits for so many seconds, and returns how it ended if it did."""
    while (ending := ended(follower.turn())) is None:
        pass
    follower.end(ending)
