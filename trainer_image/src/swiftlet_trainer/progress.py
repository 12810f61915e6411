"""The progress stream: one JSON object per line, read by the control plane; and the history of steps, for curves."""

import json
import os
import sys
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from swiftlet.wire.messages import ProgressEvent

from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.progress_post import poster

FILE_VARIABLE = "SWIFTLET_PROGRESS_FILE"
HISTORY_FILE = "events.jsonl"
LAST_EVENTS, LAST_CHARACTERS = 10, 1000
"""What is kept of the log for the resource's status, of which there is little in an API server."""


class Reporter:
    """Appends progress events to $SWIFTLET_PROGRESS_FILE, posts them to $SWIFTLET_PROGRESS_URL where that is set, and
    writes a line for people to stdout."""

    def __init__(self, enabled: bool = True) -> None:
        """enabled: false on all processes of a run but rank 0."""
        name = os.environ.get(FILE_VARIABLE)
        self._path = in_pod(name) if name else None
        self.enabled = enabled
        self._poster = poster() if enabled else None
        self._said: deque[str] = deque(maxlen=LAST_EVENTS)

    def emit(self, **fields: Any) -> ProgressEvent:
        """Report one event; `fields` are those of ProgressEvent but the time. Returns what was reported.

        A stream that cannot be written to, such as on a full disk, or an operator that does not answer, never fails
        the work that is reported.
        """
        event = ProgressEvent(time=now(), **fields)
        if not self.enabled:
            return event
        _quietly_append(self._path, event)
        if self._poster is not None:
            self._poster.post(event)
        line = plain(event)
        self._said.append(line)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        return event

    @property
    def last_lines(self) -> str | None:
        """The newest events as the log has them, at most LAST_CHARACTERS; None before the first."""
        return "\n".join(self._said)[-LAST_CHARACTERS:] or None


def now() -> str:
    """RFC 3339, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def plain(event: ProgressEvent) -> str:
    """The event as one line for people: its type and the fields that were set."""
    shown = event.model_dump(mode="json", exclude_none=True, exclude_unset=True, exclude={"time", "type"})
    return " ".join([event.type, *(f"{name}={value}" for name, value in shown.items())])


class History:
    """`events.jsonl` of a run's folder: each step once, with its figures at full precision, over all restarts."""

    def __init__(self, output_dir: Path) -> None:
        self.path = output_dir / HISTORY_FILE

    def append(self, event: ProgressEvent) -> None:
        """Add a step; on a full disk the curve has a gap, and the run goes on."""
        _quietly_append(self.path, event)

    def truncate(self, step: int) -> None:
        """Forget what came after `step`: a resumed run takes those steps again."""
        if not self.path.is_file():
            return
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [line for line in lines if 0 <= _step(line) <= step]
        staged = self.path.with_suffix(".tmp")
        staged.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        staged.replace(self.path)

    def last(self, field: str) -> Any:
        """The newest value of `field` (camelCase), such as the loss that a finished run ended with."""
        if not self.path.is_file():
            return None
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        values = [json.loads(line).get(field) for line in reversed(lines) if _step(line) >= 0]
        return next((value for value in values if value is not None), None)


def _step(line: str) -> int:
    """The step of a line; -1 for one that a kill cut short."""
    try:
        return int(json.loads(line)["step"])
    except (json.JSONDecodeError, KeyError, TypeError, ValueError):
        return -1


def _quietly_append(path: Path | None, event: ProgressEvent) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(event.model_dump_json(by_alias=True, exclude_none=True) + "\n")
    except OSError as error:
        sys.stderr.write(f"{path}: progress cannot be written: {error}\n")
