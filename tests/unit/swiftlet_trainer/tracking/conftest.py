"""A history that grows, and trackers that follow it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.v1alpha1.tracking import ReportTo
from swiftlet_trainer.tracking.following import Follower
from swiftlet_trainer.tracking.registry import tracker_of
from swiftlet_trainer.tracking.tracked_run import Ending, Point, TrackedRun, Tracker

TAGS = {"swiftlet.namespace": "team", "swiftlet.dataDigest": f"sha256:{'a' * 64}"}


@dataclass
class Recording:
    """A tracker that keeps what it is told, and may be out of reach."""

    points: list[Point] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    opened: int = 0
    failure: Exception | None = None

    def open(self, run: TrackedRun) -> str:
        self._reach()
        self.opened += 1
        return f"shown as {run.name}"

    def log(self, points: Sequence[Point]) -> None:
        self._reach()
        self.points += points

    def close(self, ending: Ending) -> None:
        self._reach()
        self.endings.append(ending)

    def _reach(self) -> None:
        if self.failure:
            raise self.failure


@dataclass
class Tracked:
    """One run's folder."""

    folder: Path
    told: list[tuple[str, str]] = field(default_factory=list)

    def write(self, *steps: int, end: str = "\n") -> None:
        """The history with exactly these steps."""
        lines = [
            {"time": f"2026-11-29T14:00:{step:02}.000Z", "step": step, "loss": str(1 / step)}
            | ({"evalLoss": "0.5"} if step % 2 == 0 else {})
            for step in steps
        ]
        staged = self.folder / "events.tmp"
        staged.write_text("\n".join(json.dumps(line) for line in lines) + end)
        staged.replace(self.folder / "events.jsonl")

    def follower(self, tracker: Tracker) -> Follower:
        run = TrackedRun("0f1e2d3c-0000-4000-8000-000000000001", "team/bird", TAGS, {"training.seed": "1"}, self.folder)
        told = self.folder / "tracking" / "tracker.step"
        return Follower(tracker, run, self.folder / "events.jsonl", told, lambda *said: self.told.append(said))

    def two_attempts(self, **report_to: Any) -> None:
        """Three steps until a stop; the next attempt goes on from a checkpoint at step 2 and ends with step 4."""
        asked = ReportTo.model_validate(report_to)
        (name,) = asked.names
        self.write(1, 2)
        follower = self.follower(tracker_of(asked, name))
        follower.turn()
        self.write(1, 2, 3)
        follower.end(Ending.STOPPED)
        self.write(1, 2)
        follower = self.follower(tracker_of(asked, name))
        follower.turn()
        self.write(1, 2, 3, 4)
        follower.end(Ending.FINISHED)


@pytest.fixture
def tracked(tmp_path: Path) -> Tracked:
    return Tracked(tmp_path)


@pytest.fixture
def recording() -> Callable[[], Recording]:
    return Recording
