"""What a look at bounded work decides."""

from datetime import datetime
from typing import Any

from swiftlet.kinds.attempts.bounded import Run, RunStatus
from swiftlet.kinds.attempts.course import Course
from swiftlet.kinds.attempts.job import wish
from swiftlet.kinds.children.job import follows
from swiftlet.kinds.frame.asked import asked_anew
from swiftlet.kinds.frame.events import events_of
from swiftlet.kinds.frame.outcome import ObjectRef, Outcome, Patch, ref_of
from swiftlet.kinds.observing.holding import asks_again
from swiftlet.kinds.observing.observed import is_being_deleted

KEPT_ATTEMPTS = 3
"""Newest attempts whose Jobs are kept, so that their pods and logs can be looked at."""

Manifest = dict[str, Any]


def outcome_of(
    run: Run, course: Course, planned: list[Manifest], surplus: list[ObjectRef], status: RunStatus, now: datetime
) -> Outcome:
    """The outcome. planned: what the wanted attempt is made of, its Job last. surplus: what else goes."""
    due = course.decision.starts_at
    wait = (due - now).total_seconds() if due else course.unmade.again if course.unmade else None
    return Outcome(
        desired=[] if course.stops else _desired(course, planned),
        delete=[*_outdated(course), *course.stops, *surplus],
        status=status.document(),
        events=events_of(course.old, status.conditions),
        requeue_after=wait or asks_again(course.hold, course.old, now),
        patches=[] if course.stops else _asked(run, course),
    )


def _desired(course: Course, planned: list[Manifest]) -> list[Manifest]:
    """What was planned, until the attempt's Job is there. That goes on as it was started and is never applied again.

    A suspended run without a Job gets none: whoever holds the reins, such as a queue, would start it.
    """
    active = course.active
    if active is None:
        return [] if course.suspend else planned
    if is_being_deleted(active) or not planned or not follows(active, planned[-1]):
        return []
    return [manifest for manifest in planned if manifest["kind"] != "Job"]


def _asked(run: Run, course: Course) -> list[Patch]:
    active = course.active
    if active is None or is_being_deleted(active):
        return []
    return asked_anew(active, wish(run, course.decision.history))


def _outdated(course: Course) -> list[ObjectRef]:
    return [ref_of(attempt.job) for attempt in course.attempts[:-KEPT_ATTEMPTS] if not is_being_deleted(attempt.job)]
