"""When a status is written: what others go on changing waits a moment, so that several of their changes are one write.

A queue, the Job controller, the garbage collector and the scheduler change what a status says one after the other, each
in its own time. The first of these changes is written at once, and the next ones a little later, as they stand then.
What is meant for keeps, or answers an edit, never waits.
"""

import time
from collections.abc import Callable
from typing import Any

from swiftlet.control.keys import Key

Status = dict[str, Any]

FIRST_PAUSE, NEXT_PAUSE = 1.0, 2.0
"""Seconds after a write of a status in which the next one waits, and the same where writes come one after the other."""
CALM_SECONDS = 5.0
"""A write this long after the one before is a first one again."""
MOVING_FIELDS = frozenset({"startTime", "activeSeconds", "activeSince", "replicas", "readyReplicas", "revisions"})
"""Fields that follow Jobs, Deployments and their pods; any other one, such as the number of a new revision, is written
at once, and these with it."""
MOVING_CONDITIONS = frozenset({"PodsReady", "QuotaReserved", "Running", "Suspended"})
"""Conditions that follow these too; of the others a new status is written at once, new words are not."""


def can_wait(before: Status, after: Status) -> bool:
    """Whether `after` differs from the stored status in nothing but what moves on by itself."""
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return changed <= {"conditions", *MOVING_FIELDS} and _settled(before) == _settled(after)


def _settled(status: Status) -> list[tuple[str, str | None]]:
    """The conditions, and what they say where it is meant to stay."""
    return [
        (found["type"], None if found["type"] in MOVING_CONDITIONS else found["status"])
        for found in status.get("conditions") or []
    ]


class StatusPace:
    """When each resource's status was written, as far as that still counts."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, pauses: tuple[float, float] = (FIRST_PAUSE, NEXT_PAUSE)
    ) -> None:
        """pauses: after a first write and after a next one, in seconds."""
        self._clock = clock
        self._first_pause, self._next_pause = pauses
        self._written: dict[Key, tuple[float, float]] = {}
        """The moment of the last write and the pause after it, in the order of the moments."""

    def wrote(self, resource: Key) -> None:
        """The status was written now."""
        now = self._clock()
        pause = self._next_pause if resource in self._written else self._first_pause
        self._written.pop(resource, None)
        self._written[resource] = now, pause
        self._forget_old(now)

    def seconds_to_wait(self, resource: Key, before: Status, after: Status) -> float:
        """Seconds until `after` may be written over the stored `before`; 0 when it may now, or nothing has changed."""
        now = self._clock()
        self._forget_old(now)
        moment, pause = self._written.get(resource, (now, 0.0))
        left = moment + pause - now
        return left if left > 0 and before != after and can_wait(before, after) else 0.0

    def forget(self, resource: Key) -> None:
        """The resource is gone."""
        self._written.pop(resource, None)

    def _forget_old(self, now: float) -> None:
        while self._written and next(iter(self._written.values()))[0] <= now - CALM_SECONDS:
            del self._written[next(iter(self._written))]
