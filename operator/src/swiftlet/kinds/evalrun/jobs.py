"""The Jobs of an evaluation: one, and another where nobody has read what the first one's pod said."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from swiftlet.api.evalrun import EvalRun
from swiftlet.kinds.conditions import find_condition
from swiftlet.kinds.evalrun.render import again_name, child_name
from swiftlet.kinds.failures import results, unreadable_results
from swiftlet.kinds.observed import UNSEEN_SECONDS, ended_at, job_state, of_kind
from swiftlet.kinds.timestamps import from_text


def jobs_of(run: EvalRun, children: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The run's Jobs, the newest last."""
    found = {job["metadata"]["name"]: job for job in of_kind(children, "Job")}
    return [found[name] for name in (child_name(run), again_name(run)) if name in found]


def starts_anew(run: EvalRun, job: dict[str, Any]) -> bool:
    """Whether spec.backoffLimit was raised after the Job had failed too often: Kubernetes does not take it up again."""
    failed = find_condition(job, "Failed") or {}
    too_often = failed.get("status") == "True" and failed.get("reason") == "BackoffLimitExceeded"
    return too_often and run.spec.backoff_limit > int(job["spec"].get("backoffLimit") or 0)


def lost_at(run: EvalRun, job: dict[str, Any] | None, pods: Sequence[dict[str, Any]], now: datetime) -> datetime | None:
    """When the first Job, which completed, counts as one whose figures nobody has read: its pod is gone, or said none.

    The pod's end may be seen later than the Job's. The figures lie on the volume, and another pod reports them in
    seconds. What cannot be understood now will not be then.
    """
    if job is None or job["metadata"]["name"] != child_name(run) or job_state(job) != "Complete":
        return None
    if any(message.results for message in results(pods)) or unreadable_results(pods):
        return None
    ended = ended_at(job)
    return (from_text(ended) if ended else now) + timedelta(seconds=UNSEEN_SECONDS)
