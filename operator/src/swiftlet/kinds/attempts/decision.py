"""What to do about the attempts of a run now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from swiftlet.api.v1alpha1.finetunejob_status import Failure
from swiftlet.kinds.attempts.attempt import Attempt
from swiftlet.kinds.attempts.bounded import Run, RunStatus
from swiftlet.kinds.attempts.cause import Cause, cause_of, failure_of
from swiftlet.kinds.attempts.history import History
from swiftlet.kinds.attempts.restart import after, exceeded, restart_at
from swiftlet.kinds.conditions.timestamps import from_text
from swiftlet.kinds.observing.failures import results, unreadable_results
from swiftlet.kinds.observing.observed import UNSEEN_SECONDS, ended_at, stopped

COMPLETE = "Complete"
ENDINGS: dict[Cause, str] = {"invalid": "InvalidInput", "diverged": "Diverged"}
"""Causes that end a run at once, and the reason that Succeeded gives."""

Result = Literal["artifact", "results"]
"""What a run is for: the field of its status, and of the message of its pod."""


@dataclass(frozen=True)
class Decision:
    """The attempt that should be there, or the end of the run.

    starts_at: the attempt waits for this moment; None means that its Job is wanted now.
    ending: COMPLETE, or the reason of a failed Succeeded, when the run is over; None while it goes on.
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
    run: Run, attempts: Sequence[Attempt], status: RunStatus, now: datetime, result: Result, active_seconds: int = 0
) -> Decision:
    """The decision, from the newest attempt and what was remembered of the ones before it.

    active_seconds: of all stretches that are over, which the Jobs alone do not tell.
    """
    found = _decided(run, attempts, status, now, result, active_seconds)
    return replace(found, history=_with_active_time(found.history, active_seconds))


def _with_active_time(history: History, seconds: int) -> History:
    return replace(history, active_seconds=max(history.active_seconds, seconds))


def _decided(
    run: Run, attempts: Sequence[Attempt], status: RunStatus, now: datetime, result: Result, active_seconds: int
) -> Decision:
    if not attempts:
        return _first(status)
    newest = attempts[-1]
    if newest.state == "Active":
        return _while_active(run, attempts, status)
    if newest.state == "Complete":
        is_known = bool(getattr(status, result)) or any(getattr(said, result) for said in results(newest.pods))
        return _after_completion(newest, is_known, now)
    failure = failure_of(newest, status.failure)
    if failure is None:  # a Failed Job always has a Failed condition
        raise ValueError(f"Job {newest.name} failed without a cause")
    return _after_failure(run, newest, failure, now, active_seconds)


def _first(status: RunStatus) -> Decision:
    """Jobs may have been deleted by hand; what they counted stands in the status."""
    restarts = status.restarts
    if restarts is None:
        return Decision(0, History())
    history = History(restarts.user, restarts.infrastructure, recent=restarts.infrastructure_recent or 0)
    return Decision(restarts.user + restarts.infrastructure, history, status.failure)


def _while_active(run: Run, attempts: Sequence[Attempt], status: RunStatus) -> Decision:
    newest, earlier = attempts[-1], attempts[-2] if len(attempts) > 1 else None
    failure = failure_of(earlier, status.failure) if earlier else status.failure
    # Pods that are being suspended, or were stopped with the machine, end with 143, which is no failure.
    suspended = run.spec.suspend or newest.job["spec"].get("suspend")
    if not suspended and not stopped(newest.pods):
        failure = failure_of(newest, status.failure) or failure
    return Decision(newest.number, newest.history, failure)


def _after_completion(newest: Attempt, is_known: bool, now: datetime) -> Decision:
    """The end, or one more attempt where nobody has read what the pods said: it reports the result in seconds.

    What cannot be understood now will not be then.
    """
    if is_known or newest.history.lost or unreadable_results(newest.pods):
        return Decision(newest.number, newest.history, ending=COMPLETE)
    failure = Failure(
        reason="ResultMissing",
        message=f"Job {newest.name} completed, but its pods are gone and nobody has read their result; the next attempt"
        " reports what they left on the volume",
    )
    ended = ended_at(newest.job)
    due = (from_text(ended) if ended else now) + timedelta(seconds=UNSEEN_SECONDS)
    history = replace(newest.history, lost=1)
    return Decision(newest.number + 1, history, failure, starts_at=due if now < due else None)


def _after_failure(run: Run, newest: Attempt, failure: Failure, now: datetime, active_seconds: int) -> Decision:
    cause: Cause = cause_of(newest, failure)
    history = _with_active_time(after(newest, cause), active_seconds)
    limit = run.spec.active_deadline_seconds
    ending = ENDINGS.get(cause) or exceeded(run, history, cause)
    # A deadline that was raised or taken away lets the run go on, as a raised limit does.
    if ending is None and limit is not None and max(history.active_seconds, _allowed(newest, cause)) >= limit:
        ending = "DeadlineExceeded"
    if ending:
        return Decision(newest.number, newest.history, failure, ending=ending)
    due = restart_at(newest, cause, now)
    return Decision(newest.number + 1, history, failure, starts_at=due if now < due else None)


def _allowed(newest: Attempt, cause: Cause) -> int:
    """Seconds that a run had which its deadline has ended."""
    deadline = (newest.job.get("spec") or {}).get("activeDeadlineSeconds") or 0
    return newest.history.active_seconds + deadline if cause == "deadline" else 0
