"""What a wait is for, and whether it has come."""

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from swiftlet.api import KINDS
from swiftlet.api.schema.validation import nearest
from swiftlet.cli import exitcodes
from swiftlet.cli.errors import CommandError
from swiftlet.cli.printing.diagnosis import explain
from swiftlet.cli.printing.jsonpath import find
from swiftlet.cli.reading.world import World
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.summary import settled
from swiftlet.kinds.conditions.table import CONDITIONS

Object = dict[str, Any]
Outcome = Literal["met", "never"] | None
"""None: it may still come."""
END = "Complete"
"""Of a kind of ours: its summary condition, Succeeded or Ready. Jobs of Kubernetes have a condition of this name."""
_GOAL = re.compile(r"condition=(?P<type>[^=]+)(=(?P<status>.+))?|jsonpath=(?P<path>\{.*\})(=(?P<value>.*))?|delete")


@dataclass(frozen=True)
class Goal:
    """A condition with a status, a value at a path (None: any), or the end of the object."""

    condition: str | None = None
    status: str = "True"
    path: str | None = None
    value: str | None = None

    @property
    def is_deletion(self) -> bool:
        return self.condition is None and self.path is None


def parse_goal(text: str) -> Goal:
    """`condition=TYPE[=STATUS]`, `jsonpath={PATH}[=VALUE]` or `delete`, as kubectl takes them. Raises CommandError."""
    match = _GOAL.fullmatch(text)
    if match is None:
        raise CommandError(
            f"--for={text!r} is none of condition=TYPE, condition=TYPE=STATUS, jsonpath={{PATH}}=VALUE and delete",
            exitcodes.INVALID,
        )
    if match["path"]:
        _check_path(match["path"])
        return Goal(path=match["path"], value=match["value"])
    return Goal(condition=match["type"], status=(match["status"] or "True").capitalize())


def checked(goal: Goal, kind: str) -> Goal:
    """The goal with the kind's own name of a condition. Raises CommandError for a condition that the kind never has."""
    if goal.condition is None or kind not in KINDS:
        return goal
    types = [doc.type for doc in CONDITIONS.get(kind, ())]
    if goal.condition == END:
        return Goal(KINDS[kind].summary_condition, goal.status)
    found = next((name for name in types if name.lower() == goal.condition.lower()), None)
    if found is None:
        close = nearest(goal.condition, types)
        hint = f"did you mean {close}?" if close else f"it has {', '.join(types) or 'none'}"
        raise CommandError(f"--for: a {kind} has no condition {goal.condition!r}; {hint}", exitcodes.INVALID)
    return Goal(found, goal.status)


def outcome(goal: Goal, item: Object | None) -> Outcome:
    """Whether the goal has come, or cannot come by itself: the object has ended otherwise, or is gone."""
    if item is None:
        return "met" if goal.is_deletion else "never"
    if goal.is_deletion:
        return None
    return "met" if _holds(goal, item) else "never" if item["kind"] in KINDS and settled(item) else None


def _holds(goal: Goal, item: Object) -> bool:
    if goal.path:
        found = find(item, goal.path)
        return bool(found) and goal.value in (None, *map(_text, found))
    condition = find_condition(item, goal.condition or "") or {}
    # What is said of an older spec says nothing of this one.
    seen = condition.get("observedGeneration") or item["metadata"].get("generation")
    return condition.get("status") == goal.status and seen == item["metadata"].get("generation")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_path(path: str) -> None:
    try:
        find({}, path)
    except ValueError as error:
        raise CommandError(f"--for: {error}", exitcodes.INVALID) from error


@dataclass(frozen=True)
class Awaited:
    """One object that is waited for."""

    kind: str
    namespace: str | None
    name: str
    goal: Goal

    def __str__(self) -> str:
        return f"{self.kind.lower()}/{self.name}"


def wait_for(world: World, awaited: Sequence[Awaited], timeout: float | None) -> None:
    """Return when all have come, and print each as it does.

    timeout: seconds; None waits on. Raises CommandError when one cannot come any more, and (exit code 4) when the time
    is over.
    """
    end, left = (time.monotonic() + timeout if timeout is not None else math.inf), list(awaited)
    while left:
        for one in tuple(left):
            item = world.get(one.kind, one.namespace, one.name)
            found = outcome(one.goal, item)
            if found == "met":
                print(f"{one} {'deleted' if one.goal.is_deletion else 'condition met'}", flush=True)
                left.remove(one)
            elif found == "never" or not world.is_at_work():
                raise CommandError(_why(world, one, item))
        if left and time.monotonic() > end:
            names = ", ".join(map(str, left))
            raise CommandError(f"not come within --timeout: {names}; `swiftlet describe` says why", exitcodes.TIMEOUT)
        if left:
            time.sleep(world.pause)


def _why(world: World, one: Awaited, item: Object | None) -> str:
    if item is None:
        return f"{one} was deleted while it was waited for"
    if item["kind"] in KINDS and settled(item):
        lines = explain(item, world.folder)
        return "\n".join(lines) if lines else f"{one} has ended, and what is waited for cannot come any more"
    return f"{one} is not there yet, and no engine runs that would go on with it; `swiftlet run PATH` does"
