"""What a look at bounded work decides."""

from datetime import datetime
from typing import Any

from swiftlet.kinds.attempts.bounded import Run, RunStatus
from swiftlet.kinds.attempts.course import Course
from swiftlet.kinds.attempts.workload import wish
from swiftlet.kinds.children.job import follows
from swiftlet.kinds.frame.events import events_of
from swiftlet.kinds.frame.outcome import ObjectRef, Outcome, Patch, ref_of
from swiftlet.kinds.observing.holding import asks_again
from swiftlet.kinds.observing.observed import is_being_deleted

KEPT_ATTEMPTS = 3
"""Newest attempts whose workloads are kept, so that their pods and logs can be looked at."""

Manifest = dict[str, Any]


def outcome_of(
    run: Run, course: Course, planned: list[Manifest], surplus: list[ObjectRef], status: RunStatus, now: datetime
) -> Outcome:
    """The outcome. planned: what the wanted attempt is made of, its workload last. surplus: what else goes."""
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
    """What was planned, until the attempt's workload is there. That goes on as it was started and is not applied again.

    A suspended run without a workload gets none: whoever holds the reins, such as a queue, would start it.
    """
    active = course.active
    if active is None:
        return [] if course.suspend else planned
    if is_being_deleted(active) or not planned or not follows(active, planned[-1]):
        return []
    return planned[:-1]


def _asked(run: Run, course: Course) -> list[Patch]:
    working = course.working
    if working is None or is_being_deleted(working.job):
        return []
    return working.backend.asked(working.job, working.jobs, wish(run, course.decision.history))


def _outdated(course: Course) -> list[ObjectRef]:
    return [ref_of(attempt.job) for attempt in course.attempts[:-KEPT_ATTEMPTS] if not is_being_deleted(attempt.job)]
