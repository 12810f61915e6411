"""Why an attempt failed, and who is to blame: the work itself, or what took its pods away."""

import re
from typing import Literal

from swiftlet.api.v1alpha1.finetunejob_status import Failure
from swiftlet.kinds.attempts.attempt import Attempt
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.observing.disruptions import DISRUPTED, EVICTED, POD_DELETED, is_disrupted
from swiftlet.kinds.observing.failures import Death, first_death, is_secondary, last_death
from swiftlet.wire.messages import EXIT_DIVERGED, EXIT_INVALID, EXIT_TERMINATED

Cause = Literal["invalid", "diverged", "deadline", "infrastructure", "user"]

CAUSES: dict[str, Cause] = {
    "OOMKilled": "user",
    EVICTED: "user",
    DISRUPTED: "infrastructure",
    POD_DELETED: "infrastructure",
    "ContainerStatusUnknown": "infrastructure",
}
"""Causes by reasons of failures that leave no doubt."""
NEVER: dict[int | None, Cause] = {EXIT_INVALID: "invalid", EXIT_DIVERGED: "diverged"}
"""Causes by exit codes after which another attempt ends the same."""
TAKEN_AWAY = re.compile(r"Pod \S+/(\S+) has condition DisruptionTarget ")
"""What the Job says. Source: Kubernetes, pkg/controller/job/pod_failure_policy.go."""


def failure_of(attempt: Attempt, remembered: Failure | None) -> Failure | None:
    """Why the attempt failed, or None while no pod of it has.

    Pods of a failed Job may be gone before we look (eviction deletes them), so what was already written to the status
    counts where it is about a pod of this attempt, also before what the pods that are left came to by that; and the
    Job's own condition where nothing else is left.
    """
    death = last_death(attempt.pods) if attempt.retries_itself else first_death(attempt.pods)
    known = remembered if remembered and attempt.made(remembered.pod or "") else None
    gone = _of_a_gone_pod(attempt, known)
    if death and not (gone and _came_of_another(death, attempt)):
        return death.failure
    if gone or known:
        return gone or known
    failed = find_condition(attempt.job, "Failed")
    if failed and failed["status"] == "True":
        if failed.get("reason") == "BackoffLimitExceeded" and not attempt.retries_itself:
            # A pod that fails by itself stays until its Job goes; one that nobody has seen was deleted.
            return Failure(reason=POD_DELETED, message=f"a pod of Job {attempt.name} was deleted")
        return Failure(reason=failed.get("reason") or "JobFailed", message=failed.get("message") or "")
    return None


def cause_of(attempt: Attempt, failure: Failure) -> Cause:
    """What kind of failure it was: only some are retried; the user's and the infrastructure's have a budget each."""
    failed = find_condition(attempt.job, "Failed") or {}
    if failed.get("reason") == "DeadlineExceeded":
        return "deadline"
    if failure.exit_code in NEVER:
        return NEVER[failure.exit_code]
    if failure.reason in CAUSES:
        return CAUSES[failure.reason]
    if failure.exit_code == EXIT_TERMINATED or "DisruptionTarget" in (failed.get("message") or ""):
        return "infrastructure"
    if is_secondary(failure) and _lost_a_pod(attempt):
        return "infrastructure"
    return "invalid" if failed.get("reason") == "PodFailurePolicy" else "user"


def _of_a_gone_pod(attempt: Attempt, known: Failure | None) -> Failure | None:
    """What was told of a pod that is no longer there: in the status (`known`), or by the Job, which names one that the
    cluster has taken away."""
    there = {pod["metadata"]["name"] for pod in attempt.pods}
    if known and known.pod not in there:
        return known
    failed = find_condition(attempt.job, "Failed") or {}
    named = TAKEN_AWAY.search(failed.get("message") or "")
    if named is None or named[1] in there or not attempt.made(named[1]):
        return None
    message = (
        f"the cluster took the pod away (lost or drained node, preemption, eviction); its Job: {failed['message']}"
    )
    return Failure(reason=DISRUPTED, message=message, pod=named[1])


def _came_of_another(death: Death, attempt: Attempt) -> bool:
    """Whether a pod only ended as others do when one was taken away or has failed."""
    only_stopped = death.failure.exit_code == EXIT_TERMINATED or is_secondary(death.failure)
    return only_stopped and not attempt.retries_itself


def _lost_a_pod(attempt: Attempt) -> bool:
    """Whether a pod was taken away, or is gone: those that failed by themselves stay."""
    wanted = sum((job.get("spec") or {}).get("parallelism") or 1 for job in attempt.makers)
    return len(attempt.pods) < wanted or any(is_disrupted(pod) for pod in attempt.pods)
