"""How far a run has come: its attempts, what to do about them, and who or what holds them up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from swiftlet.api.base import Condition
from swiftlet.kinds.attempts.attempt import Attempt
from swiftlet.kinds.attempts.bounded import Run, RunStatus
from swiftlet.kinds.attempts.decision import Decision, Result, decide_attempt
from swiftlet.kinds.children.job import is_outdated
from swiftlet.kinds.frame.outcome import ObjectRef, ref_of
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.observing.active_time import ActiveTime, active_time
from swiftlet.kinds.observing.holding import Hold, hold_of, only_deletion_stops
from swiftlet.kinds.observing.observed import obstacle, pods_of
from swiftlet.kinds.observing.unmade import Unmade, unmade_pods
from swiftlet.kinds.references.claims import unbound_claims


@dataclass(frozen=True)
class Course:
    """All that is common to the looks at what ends."""

    suspend: bool
    """spec.suspend of the resource."""
    old: Sequence[Condition]
    """Conditions as stored."""
    decision: Decision
    attempts: tuple[Attempt, ...]
    active_for: ActiveTime
    changeable: str
    """Digest of what may be changed between two attempts."""
    unbound: dict[str, str] = field(default_factory=dict)
    """Claims that keep a pod from being scheduled, in words."""
    unmade: Unmade | None = None
    """Pods of the newest attempt cannot be made."""
    hold: Hold | None = None
    """Who else keeps the workload suspended, and why."""
    stops: tuple[ObjectRef, ...] = ()
    """The workload, where only its deletion stops its pods, or lets it be made again."""

    @property
    def newest(self) -> Attempt | None:
        """The attempt that the decision is about, once its workload is there."""
        found = self.attempts[-1] if self.attempts else None
        return found if found and found.number == self.decision.number else None

    @property
    def active(self) -> dict[str, Any] | None:
        """The workload that goes on."""
        found = self.working
        return found.job if found else None

    @property
    def working(self) -> Attempt | None:
        """The attempt that goes on."""
        found = self.attempts[-1] if self.attempts else None
        return found if found and found.state == "Active" else None

    @property
    def hindered(self) -> tuple[str, str] | None:
        """(reason, message) of what keeps the pods from work."""
        pods = self.newest.pods if self.newest else ()
        refused = self.unmade.refusal if self.unmade else None
        return obstacle(pods, self.unbound) or (refused.state if refused else None)


def course_of(
    run: Run,
    old: RunStatus,
    attempts: Sequence[Attempt],
    result: Result,
    changeable: str,
    reader: Reader,
    now: datetime,
) -> Course:
    """The course of a run now. old: its stored status. changeable: as the course has it."""
    newest = attempts[-1] if attempts else None
    active_for = active_time(ActiveTime(old.active_seconds or 0, old.active_since), newest.job if newest else None, now)
    active = newest.job if newest and newest.state == "Active" else None
    pods = newest.pods if newest else ()
    made_again = newest is not None and is_outdated(newest.job, changeable, pods)
    stops = [ref_of(newest.job)] if newest and made_again else only_deletion_stops(active, run.spec.suspend)
    return Course(
        suspend=run.spec.suspend,
        old=old.conditions,
        decision=decide_attempt(run, attempts, old, now, result, active_for.seconds),
        attempts=tuple(attempts),
        active_for=active_for,
        changeable=changeable,
        unbound=unbound_claims(pods, reader),
        unmade=_unmade(newest, reader, now) if newest and active else None,
        hold=hold_of(active, run.spec.suspend, reader),
        stops=tuple(stops),
    )


def _unmade(attempt: Attempt, reader: Reader, now: datetime) -> Unmade | None:
    """The first role that misses pods."""
    found = (unmade_pods(maker, pods_of(attempt.pods, maker), reader, now) for maker in attempt.makers)
    return next(filter(None, found), None)
