"""Progress as plain lines, for files, pipes and terminals without colours."""

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from swiftlet.cli.printing.resourcestate import ResourceState

PROGRESS_SECONDS = 5.0
"""Least time between two lines of figures of one resource."""


@dataclass
class PlainView:
    """Prints a line when something new is to be said; figures at most every few seconds."""

    clock: Callable[[], float] = time.monotonic
    _said: dict[str, str] = field(default_factory=dict)
    _when: dict[str, float] = field(default_factory=dict)
    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=50))

    def __enter__(self) -> "PlainView":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was taken, so nothing is given back."""

    def say(self, text: str, warning: bool = False) -> None:
        """One line with the time."""
        self._lines.append(text)
        mark = "WARNING " if warning else ""
        print(f"{datetime.now():%H:%M:%S}  {mark}{text}", flush=True)

    def show(self, states: Sequence[ResourceState]) -> None:
        """Print what changed."""
        for state in states:
            line = f"{state.word}: {state.line}" if state.line else state.word
            if self._said.get(state.name) == line or not self._is_due(state):
                continue
            self._said[state.name], self._when[state.name] = line, self.clock()
            self.say(f"{state.name:<24} {line}")

    def _is_due(self, state: ResourceState) -> bool:
        """New words are news, unless an event told them; figures only now and then, but the last of a run always."""
        before = self._said.get(state.name)
        is_first = before is None or before.partition(":")[0] != state.word
        if state.end and before is not None:
            return False  # its event told the end
        if state.step is None and state.percent is None:
            told = any(state.name in line and line.endswith(state.message) for line in self._lines)
            return not told and (is_first or not state.word.startswith("Waiting"))
        is_last = state.step is not None and state.step == state.total
        return is_first or is_last or self.clock() - self._when[state.name] >= PROGRESS_SECONDS


def is_plain(forced: bool, environment: dict[str, str]) -> bool:
    """Whether plain lines are wanted: asked for, no terminal, or one that cannot move its cursor (no-color.org, CI)."""
    return (
        forced
        or not sys.stdout.isatty()
        or bool(environment.get("NO_COLOR"))
        or environment.get("TERM") == "dumb"
        or bool(environment.get("CI"))
    )
