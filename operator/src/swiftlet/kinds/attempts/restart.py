"""The budgets of restarts: how many there may be for each cause, and when the next one is due."""

from datetime import datetime, timedelta

from swiftlet.kinds.attempts.attempt import Attempt
from swiftlet.kinds.attempts.bounded import Run
from swiftlet.kinds.attempts.cause import Cause
from swiftlet.kinds.attempts.history import History
from swiftlet.kinds.conditions.timestamps import from_text, seconds_between
from swiftlet.kinds.observing.observed import ended_at

FIRST_BACKOFF = 5.0
LONGEST_BACKOFF = 300.0
"""Seconds before a restart: 5, 10, 20, ... up to 300."""

FORGIVEN_AFTER = 600.0
"""Seconds of an attempt that make up for one restart for infrastructure."""
INFRASTRUCTURE_LIMIT = 10
"""Restarts for infrastructure that are not made up for, when the document sets no limit."""


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


def exceeded(run: Run, history: History, cause: Cause) -> str | None:
    """The budget that a restart for `cause` would exceed: reason of Succeeded. history: with that restart."""
    limit = run.spec.infrastructure_restart_limit
    if cause == "user" and history.user > run.spec.backoff_limit:
        return "BackoffLimitExceeded"
    if cause == "infrastructure" and history.recent > (INFRASTRUCTURE_LIMIT if limit is None else limit):
        return "InfrastructureLimitExceeded"
    return None


def restart_at(attempt: Attempt, cause: Cause, now: datetime) -> datetime:
    """When the attempt after a failed one may start: the backoff doubles with each restart of the same cause."""
    before = attempt.history.user if cause == "user" else attempt.history.recent
    backoff = min(FIRST_BACKOFF * 2 ** min(before, 10), LONGEST_BACKOFF)
    ended = ended_at(attempt.job)
    return (from_text(ended) if ended else now) + timedelta(seconds=backoff)
