"""Pods that a controller cannot make: a quota, a LimitRange or a policy refuses them, and only the controller was told.

A Deployment repeats what it was told in its condition ReplicaFailure. A Job says it in Events alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swiftlet.kinds.conditions.condition import find_condition, has_condition
from swiftlet.kinds.conditions.refusals import Refusal, understood
from swiftlet.kinds.conditions.timestamps import from_text
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.observing.observed import job_state

PATIENCE = 3.0
"""Seconds that a Job controller is given to make pods before it is asked what keeps it from that."""
LOOK_AGAIN, LONGEST_PAUSE = 15.0, 300.0
"""Seconds between two looks at what it says, while pods are missing: half of the time that they have been, so that a
thousand Jobs that wait for one quota cost next to nothing. Pods that are made at last are seen at once, by a watch."""


@dataclass(frozen=True)
class Unmade:
    """Pods of a Job are missing. refusal: why, once that is known. again: seconds until the next look at it."""

    refusal: Refusal | None
    again: float


def unmade_pods(job: dict[str, Any], pods: Sequence[dict[str, Any]], reader: Reader, now: datetime) -> Unmade | None:
    """Whether pods of a Job that should work are missing, and why; None when all are there, or none are wanted."""
    if not _wants_pods(job):
        return None
    there = [pod for pod in pods if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
    if len(there) >= _wanted(job):
        return None
    moments = [_started(job), *(pod["metadata"].get("creationTimestamp") for pod in pods)]
    since = max(filter(None, moments), default=None)
    if since is None:
        return None  # nobody has stored it yet
    waited = (now - from_text(since)).total_seconds()
    if waited < PATIENCE:
        return Unmade(None, PATIENCE - waited)
    said = reader.complaint(job)
    # What was said before the newest pod was made, or before the Job was resumed, has been overcome.
    is_news = said is not None and from_text(said.moment) >= from_text(since)
    pause = min(max(LOOK_AGAIN, waited / 2), LONGEST_PAUSE)
    return Unmade(understood(said.words) if said and is_news else None, pause)


def replica_failure(deployment: dict[str, Any] | None) -> Refusal | None:
    """Why a Deployment's ReplicaSet cannot make a pod, or None when it can."""
    found = find_condition(deployment, "ReplicaFailure")
    return understood(found.get("message") or "") if found and found["status"] == "True" else None


def _wants_pods(job: dict[str, Any]) -> bool:
    spec = job["spec"]
    is_held = spec.get("suspend") or has_condition(job, "Suspended") or spec.get("managedBy")
    return job_state(job) == "Active" and not is_held and not job["metadata"].get("deletionTimestamp")


def _wanted(job: dict[str, Any]) -> int:
    parallelism = int(job["spec"].get("parallelism", 1))
    left = int(job["spec"].get("completions") or parallelism) - int((job.get("status") or {}).get("succeeded") or 0)
    return min(parallelism, left)


def _started(job: dict[str, Any]) -> str | None:
    """A Job's own start, which a pause moves; its creation while its controller has not seen it."""
    return (job.get("status") or {}).get("startTime") or job["metadata"].get("creationTimestamp")
