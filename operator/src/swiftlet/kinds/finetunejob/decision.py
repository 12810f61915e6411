"""What to do about a run's attempts now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from swiftlet.api.finetunejob import Failure, FineTuneJob, FineTuneJobStatus
from swiftlet.kinds.failures import results, unreadable_results
from swiftlet.kinds.finetunejob.attempts import (
    INFRASTRUCTURE_LIMIT,
    Attempt,
    Cause,
    History,
    after,
    cause_of,
    failure_of,
    restart_at,
)
from swiftlet.kinds.observed import UNSEEN_SECONDS, ended_at, stopped
from swiftlet.kinds.timestamps import from_text

ENDINGS: dict[Cause, str] = {"invalid": "InvalidInput", "diverged": "Diverged"}
"""Causes that end a run at once, and the reason that Succeeded gives."""


@dataclass(frozen=True)
class Decision:
    """The attempt that should be there, or the end of the run.

    starts_at: the attempt waits for this moment; None means that its Job is wanted now.
    ending: reason of Succeeded when the run is over; None while it goes on.
    """

    number: int
    history: History
    failure: Failure | None = None
    starts_at: datetime | None = None
    ending: str | None = None

    @property
    def wants_job(self) -> bool:
        return self.ending is None and self.starts_at is None


def decide_attempt(
    job: FineTuneJob, attempts: Sequence[Attempt], status: FineTuneJobStatus, now: datetime, active_seconds: int = 0
) -> Decision:
    """The decision, from the newest attempt and what was remembered of the ones before it.

    active_seconds: of all stretches that are over, which the Jobs alone do not tell.
    """
    found = _decided(job, attempts, status, now, active_seconds)
    return replace(found, history=_with_active_time(found.history, active_seconds))


def _with_active_time(history: History, seconds: int) -> History:
    return replace(history, active_seconds=max(history.active_seconds, seconds))


def _decided(
    job: FineTuneJob, attempts: Sequence[Attempt], status: FineTuneJobStatus, now: datetime, active_seconds: int
) -> Decision:
    if not attempts:
        return _first(status)
    newest = attempts[-1]
    if newest.state == "Active":
        earlier = attempts[-2] if len(attempts) > 1 else None
        failure = failure_of(earlier, status.failure) if earlier else status.failure
        # Pods that are being suspended, or were stopped with the machine, end with 143, which is no failure.
        suspended = job.spec.suspend or newest.job["spec"].get("suspend")
        if not suspended and not stopped(newest.pods):
            failure = failure_of(newest, status.failure) or failure
        return Decision(newest.number, newest.history, failure)
    if newest.state == "Complete":
        return _after_completion(newest, status, now)
    failure = failure_of(newest, status.failure)
    if failure is None:  # a Failed Job always has a Failed condition
        raise ValueError(f"Job {newest.name} failed without a cause")
    return _after_failure(job, newest, failure, now, active_seconds)


def infrastructure_limit(job: FineTuneJob) -> int:
    """Restarts for infrastructure that are allowed."""
    limit = job.spec.infrastructure_restart_limit
    return INFRASTRUCTURE_LIMIT if limit is None else limit


def _first(status: FineTuneJobStatus) -> Decision:
    """Jobs may have been deleted by hand; what they counted stands in the status."""
    restarts = status.restarts
    if restarts is None:
        return Decision(0, History())
    history = History(restarts.user, restarts.infrastructure, recent=restarts.infrastructure_recent or 0)
    return Decision(restarts.user + restarts.infrastructure, history, status.failure)


def _allowed(newest: Attempt, cause: Cause) -> int:
    """Seconds that a run had which its deadline has ended."""
    deadline = (newest.job.get("spec") or {}).get("activeDeadlineSeconds") or 0
    return newest.history.active_seconds + deadline if cause == "deadline" else 0


def _after_completion(newest: Attempt, status: FineTuneJobStatus, now: datetime) -> Decision:
    """The end, or one more attempt where nobody has read what the pods said: it reports the artifact in seconds."""
    read = status.artifact or any(message.artifact for message in results(newest.pods))
    if read or newest.history.lost or unreadable_results(newest.pods):
        return Decision(newest.number, newest.history, ending="Trained")
    failure = Failure(
        reason="ResultMissing",
        message=f"Job {newest.name} completed, but its pods are gone and nobody has read their result; the next attempt"
        " reports what they left on the volume",
    )
    ended = ended_at(newest.job)
    due = (from_text(ended) if ended else now) + timedelta(seconds=UNSEEN_SECONDS)
    history = replace(newest.history, lost=1)
    return Decision(newest.number + 1, history, failure, starts_at=due if now < due else None)


def _after_failure(job: FineTuneJob, newest: Attempt, failure: Failure, now: datetime, active_seconds: int) -> Decision:
    cause: Cause = cause_of(newest, failure)
    history = _with_active_time(after(newest, cause), active_seconds)
    limit = job.spec.active_deadline_seconds
    ending = ENDINGS.get(cause)
    if cause == "user" and newest.history.user >= job.spec.backoff_limit:
        ending = "BackoffLimitExceeded"
    if cause == "infrastructure" and history.recent > infrastructure_limit(job):
        ending = "InfrastructureLimitExceeded"
    # A deadline that was raised or taken away lets the run go on, as a raised limit does.
    if ending is None and limit is not None and max(history.active_seconds, _allowed(newest, cause)) >= limit:
        ending = "DeadlineExceeded"
    if ending:
        return Decision(newest.number, newest.history, failure, ending=ending)
    due = restart_at(newest, cause, now)
    return Decision(newest.number + 1, history, failure, starts_at=due if now < due else None)
