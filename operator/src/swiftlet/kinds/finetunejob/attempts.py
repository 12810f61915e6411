"""Whole-gang restarts: which attempt a run is at, why the last one failed, and when the next may start."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from swiftlet.api.finetunejob import Failure, FineTuneJob, Restarts
from swiftlet.kinds.conditions import find_condition
from swiftlet.kinds.failures import first_death, is_disrupted
from swiftlet.kinds.observed import JobState, ended_at, job_state, of_kind, pods_of
from swiftlet.kinds.timestamps import from_text, seconds_between
from swiftlet.wire.messages import EXIT_DIVERGED, EXIT_INVALID, EXIT_TERMINATED, NEVER_RETRIED

HISTORY_ANNOTATION = "swiftlet.dev/history"
"""What went before an attempt, on its Job: the newest Job alone tells the whole story."""

FIRST_BACKOFF = 5.0
LONGEST_BACKOFF = 300.0
"""Seconds before a restart: 5, 10, 20, ... up to 300."""

Cause = Literal["invalid", "diverged", "deadline", "infrastructure", "user"]


@dataclass(frozen=True)
class History:
    """Restarts before an attempt, by cause, and the seconds that earlier attempts ran."""

    user: int = 0
    infrastructure: int = 0
    active_seconds: int = 0

    def annotation(self) -> str:
        return json.dumps(
            {"user": self.user, "infrastructure": self.infrastructure, "activeSeconds": self.active_seconds}
        )

    def restarts(self) -> Restarts:
        return Restarts(user=self.user, infrastructure=self.infrastructure)


@dataclass(frozen=True)
class Attempt:
    """One attempt: its Job and the Job's pods."""

    number: int
    job: dict[str, Any]
    pods: tuple[dict[str, Any], ...]

    @property
    def state(self) -> JobState:
        return job_state(self.job)

    @property
    def name(self) -> str:
        return str(self.job["metadata"]["name"])

    @property
    def history(self) -> History:
        text = (self.job["metadata"].get("annotations") or {}).get(HISTORY_ANNOTATION)
        if not text:
            return History()
        said = json.loads(text)
        return History(said["user"], said["infrastructure"], said["activeSeconds"])


def attempts_of(run: FineTuneJob, children: Sequence[dict[str, Any]]) -> list[Attempt]:
    """All attempts that can still be seen, oldest first. The number is in the Job's name: a label can be edited."""
    jobs = {number: job for job in of_kind(children, "Job") if (number := _number(run, job)) is not None}
    return [Attempt(number, jobs[number], tuple(pods_of(children, jobs[number]))) for number in sorted(jobs)]


def child_name(run: FineTuneJob) -> str:
    """Name of what all attempts share."""
    return f"{run.metadata.name}-train"


def attempt_name(run: FineTuneJob, number: int) -> str:
    """Name of the Job of an attempt."""
    return f"{child_name(run)}-{number}"


def _number(run: FineTuneJob, job: dict[str, Any]) -> int | None:
    name = job["metadata"]["name"]
    text = name.rpartition("-")[2]
    return int(text) if re.fullmatch("[0-9]{1,9}", text) and name == attempt_name(run, int(text)) else None


def failure_of(attempt: Attempt, remembered: Failure | None) -> Failure | None:
    """Why the attempt failed, or None while no pod of it has.

    Pods of a failed Job may be gone before we look (eviction deletes them), so what was already written to the status
    counts where it is about a pod of this attempt, and the Job's own condition where nothing else is left.
    """
    death = first_death(attempt.pods)
    if death:
        return death.failure
    if remembered and (remembered.pod or "").startswith(f"{attempt.name}-"):
        return remembered
    failed = find_condition(attempt.job, "Failed")
    if failed and failed["status"] == "True":
        return Failure(reason=failed.get("reason") or "JobFailed", message=failed.get("message") or "")
    return None


def cause_of(attempt: Attempt, failure: Failure) -> Cause:
    """What kind of failure it was: only some are retried, and only the user's count against backoffLimit."""
    failed = find_condition(attempt.job, "Failed") or {}
    if failed.get("reason") == "DeadlineExceeded":
        return "deadline"
    if failure.exit_code in NEVER_RETRIED:
        return {EXIT_INVALID: "invalid", EXIT_DIVERGED: "diverged"}[failure.exit_code]  # type: ignore[return-value]
    disrupted = is_disrupted(attempt.pods) or "DisruptionTarget" in (failed.get("message") or "")
    if disrupted or failure.exit_code == EXIT_TERMINATED:
        return "infrastructure"
    return "invalid" if failed.get("reason") == "PodFailurePolicy" else "user"


def after(attempt: Attempt, cause: Cause) -> History:
    """The history of the attempt that follows a failed one."""
    before = attempt.history
    ran = seconds_between((attempt.job.get("status") or {}).get("startTime"), ended_at(attempt.job))
    return History(
        user=before.user + (cause == "user"),
        infrastructure=before.infrastructure + (cause == "infrastructure"),
        active_seconds=before.active_seconds + int(ran),
    )


def restart_at(attempt: Attempt, cause: Cause, now: datetime) -> datetime:
    """When the attempt after a failed one may start: the backoff doubles with each restart of the same cause."""
    before = attempt.history.user if cause == "user" else attempt.history.infrastructure
    backoff = min(FIRST_BACKOFF * 2 ** min(before, 10), LONGEST_BACKOFF)
    ended = ended_at(attempt.job)
    return (from_text(ended) if ended else now) + timedelta(seconds=backoff)
