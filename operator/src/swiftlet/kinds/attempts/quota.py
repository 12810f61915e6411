"""The QuotaReserved condition of bounded work that waits in a queue of Kueue."""

from collections.abc import Sequence
from typing import Any

from swiftlet.api.base import Condition
from swiftlet.api.v1alpha1.queue import Queue
from swiftlet.kinds.attempts.conditions import not_started
from swiftlet.kinds.attempts.course import Course
from swiftlet.kinds.conditions.condition import State
from swiftlet.kinds.observing.kueue import QUOTA_RESERVED, admitted_to, queue_of


def quota_reserved(
    course: Course, ended: bool, is_accepted: bool, wanted: Queue | None, old: Sequence[Condition]
) -> State | None:
    """QuotaReserved: Kueue has quota for all pods of the attempt. None where neither `wanted` (spec.queue), nor a label
    of the Job, names a queue. A Job of the namespace's default queue has that name from Kueue alone: while there is no
    Job, that a queue was told of (`old`, the conditions of before) says as much."""
    job = course.newest.job if course.newest else None
    queue = (job and queue_of(job)) or (wanted.name if wanted else "")
    was_told = any(one.type == QUOTA_RESERVED for one in old)
    if not queue and not (job is None and was_told):
        return None
    if ended:
        return State(QUOTA_RESERVED, "False", "Finished", "the run has ended and holds no quota")
    if course.suspend:
        return State(QUOTA_RESERVED, "False", "Suspended", "spec.suspend is true, which gives the quota back")
    if course.decision.starts_at:
        return State(QUOTA_RESERVED, "False", "BackingOff", "the attempt before gave its quota back")
    if job is None:
        return State(QUOTA_RESERVED, "False", *not_started(course, is_accepted))
    if course.hold:
        return State(QUOTA_RESERVED, "False", *course.hold)
    return _running(job, queue, wanted)


def _running(job: dict[str, Any], queue: str, wanted: Queue | None) -> State:
    who, cluster_queue = f"{job['kind']} {job['metadata']['name']}", admitted_to(job)
    if cluster_queue is None:
        return State(
            QUOTA_RESERVED,
            "Unknown",
            "NotManaged",
            f"{who} names LocalQueue {queue} and was started all the same, not by Kueue: it is not installed, or"
            f" does not manage {job['kind']}s of this namespace",
        )
    whose = f" by ClusterQueue {cluster_queue}" if cluster_queue else ""
    later = f"; {wanted.name} is for the next time that no pod works" if wanted and wanted.name != queue else ""
    return State(QUOTA_RESERVED, "True", "Admitted", f"{who} was admitted from LocalQueue {queue}{whose}{later}")
