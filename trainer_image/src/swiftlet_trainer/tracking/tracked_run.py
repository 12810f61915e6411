"""What a tracker is told: who the run is, and the figures of its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from pydantic.alias_generators import to_snake


class Ending(StrEnum):
    """How an attempt ended."""

    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    """It goes on in another attempt."""


@dataclass(frozen=True)
class TrackedRun:
    """Who the run is: all of it from the resource, so that every attempt is the same run to a tracker."""

    uid: str
    name: str
    tags: Mapping[str, str]
    settings: Mapping[str, str]
    """What was asked for, by path, such as training.learningRate."""
    folder: Path
    """The run's own, for trackers that leave files."""


@dataclass(frozen=True)
class Point:
    """The figures of one step."""

    step: int
    time: float
    """Seconds since 1970."""
    figures: Mapping[str, float]
    """By name, such as train/loss and eval/loss."""


class Tracker(Protocol):
    """A tracker's client. Every method may raise whatever the client does."""

    def open(self, run: TrackedRun) -> str:
        """Begin the run, or go on with it; what people find it by."""

    def log(self, points: Sequence[Point]) -> None:
        """Figures of steps that have not been told yet, in order."""

    def close(self, ending: Ending) -> None:
        """The attempt is over."""


NOT_FIGURES = frozenset(("step", "totalSteps", "percent", "etaSeconds", "checkpointStep"))
HELD_OUT = "eval_"


def point_of(line: Mapping[str, Any]) -> Point:
    """A step of a history. In `events.jsonl` names are those of transformers' Trainer behind `train/` and `eval/`;
    figures by channel have the channel's name at their end. In `figures.jsonl` figures have the names that trackers
    are told."""
    figures: dict[str, float] = {}
    for field, value in line.items():
        named = value.items() if field == "figures" else _named(field, value)
        for name, one in named:
            if field not in NOT_FIGURES and (number := _number(one)) is not None:
                figures[name] = number
    return Point(int(line["step"]), datetime.fromisoformat(line["time"]).timestamp(), figures)


def _named(field: str, value: Any) -> list[tuple[str, Any]]:
    snake = to_snake(field)
    name = f"eval/{snake.removeprefix(HELD_OUT)}" if snake.startswith(HELD_OUT) else f"train/{snake}"
    return [(f"{name}/{key}", one) for key, one in value.items()] if isinstance(value, dict) else [(name, value)]


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def flattened(value: Any, path: str = "") -> dict[str, str]:
    """The leaves of a document by their paths; lists as they are written."""
    if not isinstance(value, dict):
        return {path: str(value)}
    below = {f"{path}.{name}" if path else name: part for name, part in value.items()}
    return {name: text for key, part in below.items() for name, text in flattened(part, key).items()}
