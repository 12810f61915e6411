"""What the workload of an attempt says that it follows."""

from collections.abc import Iterable
from typing import Any

from swiftlet.api.v1alpha1.queue import Queue
from swiftlet.kinds.observing.observed import is_being_deleted, job_state, running_container
from swiftlet.kinds.owning.ownership import DIGEST_ANNOTATION, digest_of

CHANGEABLE_ANNOTATION = "swiftlet.dev/changeable-digest"
"""On a Job: digest of what it follows of the spec that may be changed between two attempts."""


def changeable_digest_of(values: list[Any], queue: Queue | None) -> str:
    """Digest of such values, and of the queue where one is named: Jobs of releases without it are not made again."""
    return digest_of([*values, queue.document()] if queue else values)


def is_outdated(job: dict[str, Any], changeable: str, pods: Iterable[dict[str, Any]]) -> bool:
    """Whether the spec was changed since an active Job was made, and no pod of it is at work.

    It is then made again, since a Job's template cannot be changed. One that is at work goes on as it was started.
    """
    made_of = (job["metadata"].get("annotations") or {}).get(CHANGEABLE_ANNOTATION)
    if job_state(job) != "Active" or is_being_deleted(job) or made_of in (None, changeable):
        return False
    return not any(running_container(pod) for pod in pods)


def follows(existing: dict[str, Any], rendered: dict[str, Any]) -> bool:
    """Whether an existing child was planned from what `rendered` is planned from.

    A run keeps the plan that it started with: a changed ComputeProfile, or a new version of the planner, is for the
    next attempt.
    """
    return _digest(existing) == _digest(rendered)


def _digest(manifest: dict[str, Any]) -> str | None:
    return (manifest["metadata"].get("annotations") or {}).get(DIGEST_ANNOTATION)
