"""For how long the attempts of a run have been active, over restarts, suspensions and Jobs that were deleted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.timestamps import seconds_between, to_text
from swiftlet.kinds.observing.observed import ended_at


@dataclass(frozen=True)
class ActiveTime:
    """seconds: of stretches that are over. since: when the present one began, RFC 3339; None when none is under way."""

    seconds: int = 0
    since: str | None = None


def active_time(before: ActiveTime, job: dict[str, Any] | None, now: datetime) -> ActiveTime:
    """The time now, from what was stored before and the newest Job, which counts its present stretch only.

    A Job that is resumed gets a new startTime, and one that was deleted has none left: so what a stretch took is
    stored when it ends.
    """
    started, stopped = _stretch(job)
    if before.since and (before.since != started or stopped):
        resumed = started if started and started > before.since else None
        end = stopped if before.since == started else resumed or to_text(now)
        before = ActiveTime(before.seconds + int(seconds_between(before.since, end)))
        if stopped and started:
            return before
    return ActiveTime(before.seconds, None if stopped else started)


def _stretch(job: dict[str, Any] | None) -> tuple[str | None, str | None]:
    """(start, end) of the Job's newest stretch; the end is None while it goes on."""
    if job is None:
        return None, None
    suspended = find_condition(job, "Suspended") or {}
    held = suspended.get("lastTransitionTime") if suspended.get("status") == "True" else None
    return (job.get("status") or {}).get("startTime"), ended_at(job) or held
