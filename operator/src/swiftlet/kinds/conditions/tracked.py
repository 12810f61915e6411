"""The condition Tracked: what became of the trackers of a reportTo."""

from collections.abc import Sequence
from typing import Any

from swiftlet.api.base import Condition
from swiftlet.api.v1alpha1.tracking import ReportTo
from swiftlet.kinds.conditions.condition import State

REPORTING = "Reporting"
"""Every tracker gets the figures."""


def tracked(asked: ReportTo | None, progress: dict[str, Any] | None, before: Sequence[Condition]) -> State | None:
    """Whether every tracker gets the figures; None where none is asked for. before: the conditions of the old status;
    what they said stands until it is said anew."""
    if asked is None:
        return None
    said = (progress or {}).get("tracking") or {}
    old = next((condition for condition in before if condition.type == "Tracked"), None)
    if old and not said:
        return _state(old.reason, old.message)
    failed = any(one["reason"] != REPORTING for one in said.values())
    waiting = [f"{name}: has not begun" for name in asked.names if name not in said]
    message = "; ".join([*(f"{name}: {one['message']}" for name, one in said.items()), *waiting])
    return _state("TrackerFailed" if failed else "NotStarted" if waiting else REPORTING, message)


def _state(reason: str, message: str) -> State:
    return State("Tracked", "True" if reason == REPORTING else "False", reason, message)
