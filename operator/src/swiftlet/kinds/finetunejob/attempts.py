"""Whole-gang restarts: which attempt a run is at, why the last one failed, and when the next may start."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from swiftlet.api.finetunejob import CHANGEABLE, Failure, FineTuneJob, Restarts
from swiftlet.kinds.conditions import find_condition
from swiftlet.kinds.disruptions import DISRUPTED, EVICTED, POD_DELETED, is_disrupted
from swiftlet.kinds.failures import first_death, is_secondary
from swiftlet.kinds.observed import JobState, ended_at, job_state, of_kind, pods_of
from swiftlet.kinds.ownership import digest_of
from swiftlet.kinds.timestamps import from_text, seconds_between
from swiftlet.wire.messages import EXIT_DIVERGED, EXIT_INVALID, EXIT_TERMINATED, NEVER_RETRIED

HISTORY_ANNOTATION = "swiftlet.dev/history"
"""What went before an attempt, on its Job: the newest Job alone tells the whole story."""

FIRST_BACKOFF = 5.0
LONGEST_BACKOFF = 300.0
"""Seconds before a restart: 5, 10, 20, ... up to 300."""

FORGIVEN_AFTER = 600.0
"""Seconds of an attempt that make up for one restart for infrastructure."""
INFRASTRUCTURE_LIMIT = 10
"""Restarts for infrastructure that are not made up for, when the document sets no limit."""
LARGEST_COUNT = 2**31 - 1

Cause = Literal["invalid", "diverged", "deadline", "infrastructure", "user"]


CAUSES: dict[str, Cause] = {
    "OOMKilled": "user",
    EVICTED: "user",
    DISRUPTED: "infrastructure",
    POD_DELETED: "infrastructure",
    "ContainerStatusUnknown": "infrastructure",
}
"""Causes by reasons of failures that leave no doubt."""


@dataclass(frozen=True)
class History:
    """Restarts before an attempt, by cause, and the seconds that earlier attempts ran.

    recent: restarts for infrastructure that the running since then has not made up for.
    lost: attempts that were started because nobody had read what a completed one left; at most one.
    """

    user: int = 0
    infrastructure: int = 0
    active_seconds: int = 0
    recent: int = 0
    lost: int = 0

    def annotation(self) -> str:
        counts = {"user": self.user, "infrastructure": self.infrastructure, "activeSeconds": self.active_seconds}
        return json.dumps({**counts, "recent": self.recent, **({"lost": self.lost} if self.lost else {})})

    @staticmethod
    def read(text: str | None) -> "History":
        """The history that an annotation tells. Anybody who may edit the Job can write it: what is no count is 0."""
        try:
            said = json.loads(text or "{}")
        except (ValueError, RecursionError):
            said = {}
        counts = said if isinstance(said, dict) else {}
        names = ("user", "infrastructure", "activeSeconds", "recent", "lost")
        return History(*(_count(counts.get(name)) for name in names))

    def restarts(self) -> Restarts:
        recent = self.recent or None  # what is new is not written where it says nothing: an earlier release reads it
        return Restarts(user=self.user, infrastructure=self.infrastructure, infrastructure_recent=recent)


def _count(value: Any) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return min(max(value, 0), LARGEST_COUNT) if is_count else 0


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
        return History.read((self.job["metadata"].get("annotations") or {}).get(HISTORY_ANNOTATION))


def attempts_of(run: FineTuneJob, children: Sequence[dict[str, Any]]) -> list[Attempt]:
    """All attempts that can still be seen, oldest first. The number is in the Job's name: a label can be edited."""
    jobs = {number: job for job in of_kind(children, "Job") if (number := _number(run, job)) is not None}
    return [Attempt(number, jobs[number], tuple(pods_of(children, jobs[number]))) for number in sorted(jobs)]


def changeable_digest(run: FineTuneJob) -> str:
    """Digest of what may be changed between two attempts."""
    spec = run.spec.document()
    return digest_of([spec[part].get(name) for part, names in CHANGEABLE.items() for name in names])


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
        if failed.get("reason") == "BackoffLimitExceeded":
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


def after(attempt: Attempt, cause: Cause) -> History:
    """The history of the attempt that follows a failed one."""
    before = attempt.history
    ran = seconds_between((attempt.job.get("status") or {}).get("startTime"), ended_at(attempt.job))
    made_up_for = int(ran // FORGIVEN_AFTER)
    return History(
        user=before.user + (cause == "user"),
        infrastructure=before.infrastructure + (cause == "infrastructure"),
        active_seconds=before.active_seconds + int(ran),
        recent=max(0, before.recent - made_up_for) + (cause == "infrastructure"),
        lost=before.lost,
    )


def restart_at(attempt: Attempt, cause: Cause, now: datetime) -> datetime:
    """When the attempt after a failed one may start: the backoff doubles with each restart of the same cause."""
    before = attempt.history.user if cause == "user" else attempt.history.recent
    backoff = min(FIRST_BACKOFF * 2 ** min(before, 10), LONGEST_BACKOFF)
    ended = ended_at(attempt.job)
    return (from_text(ended) if ended else now) + timedelta(seconds=backoff)
