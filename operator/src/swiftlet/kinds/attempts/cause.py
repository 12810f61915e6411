"""Why an attempt failed, and who is to blame: the work itself, or what took its pods away."""

from typing import Literal

from swiftlet.api.finetunejob import Failure
from swiftlet.kinds.attempts.attempt import Attempt
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.observing.disruptions import DISRUPTED, EVICTED, POD_DELETED, is_disrupted
from swiftlet.kinds.observing.failures import first_death, is_secondary, last_death
from swiftlet.wire.messages import EXIT_DIVERGED, EXIT_INVALID, EXIT_TERMINATED, NEVER_RETRIED

Cause = Literal["invalid", "diverged", "deadline", "infrastructure", "user"]

CAUSES: dict[str, Cause] = {
    "OOMKilled": "user",
    EVICTED: "user",
    DISRUPTED: "infrastructure",
    POD_DELETED: "infrastructure",
    "ContainerStatusUnknown": "infrastructure",
}
"""Causes by reasons of failures that leave no doubt."""


def failure_of(attempt: Attempt, remembered: Failure | None) -> Failure | None:
    """Why the attempt failed, or None while no pod of it has.

    Pods of a failed Job may be gone before we look (eviction deletes them), so what was already written to the status
    counts where it is about a pod of this attempt, and the Job's own condition where nothing else is left.
    """
    death = last_death(attempt.pods) if attempt.retries_itself else first_death(attempt.pods)
    if death:
        return death.failure
    if remembered and attempt.made(remembered.pod or ""):
        return remembered
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
    if failure.exit_code in NEVER_RETRIED:
        return {EXIT_INVALID: "invalid", EXIT_DIVERGED: "diverged"}[failure.exit_code]  # type: ignore[return-value]
    if failure.reason in CAUSES:
        return CAUSES[failure.reason]
    if failure.exit_code == EXIT_TERMINATED or "DisruptionTarget" in (failed.get("message") or ""):
        return "infrastructure"
    if is_secondary(failure) and _lost_a_pod(attempt):
        return "infrastructure"
    return "invalid" if failed.get("reason") == "PodFailurePolicy" else "user"


def _lost_a_pod(attempt: Attempt) -> bool:
    """Whether a pod was taken away, or is gone: those that failed by themselves stay."""
    wanted = (attempt.job.get("spec") or {}).get("parallelism") or 1
    return len(attempt.pods) < wanted or any(is_disrupted(pod) for pod in attempt.pods)
