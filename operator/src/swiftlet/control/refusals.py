"""What the store has refused of each resource's children, and when each may be tried again.

A child that was refused and is still wanted as it was is left alone until its time has come, however often its resource
is looked at: progress goes on being told, and nothing is hammered.
"""

import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from swiftlet.control.keys import Key
from swiftlet.control.queue import retry_delay
from swiftlet.control.store import StoreError
from swiftlet.kinds.conditions.refusals import API_SERVER_BUSY, Refusal, understood

LONGEST_WAIT = 25.0
"""Seconds between two tries at most, before the jitter, of what a person mends outside of the document."""
LONGEST_WAIT_FOR_A_CHANGE = 300.0
"""The same for what only a change of the document or its profile mends: that change is seen, and tried at once."""
TRIES_PER_SECOND = 5.0
"""Of all refused resources together: where thousands are refused, each is tried less often."""
PATIENCE = 5.0
"""Seconds for which conflicts and errors of the server are not told: nearly all of them are gone by then."""


@dataclass
class _Standing:
    """One refused child. digest: of what was wanted of it. since, until: by the clock."""

    digest: str
    refusal: Refusal
    since: float
    tries: int
    until: float


class Refusals:
    """By resource and child; forgotten when the child is written, or is no longer wanted."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, jitter: Callable[[], float] = random.random
    ) -> None:
        """jitter: in [0, 1), as in `control.queue.retry_delay`."""
        self._clock, self._jitter = clock, jitter
        self._standing: dict[Key, dict[Key, _Standing]] = {}

    def note(self, resource: Key, child: Key, digest: str, error: StoreError) -> float:
        """A child was refused. Returns the seconds until it may be tried again."""
        refusal, now = understood(str(error), error.code), self._clock()
        before = self._standing.get(resource, {}).get(child)
        same = before if before is not None and before.digest == digest else None
        tries = same.tries + 1 if same else 1
        longest = LONGEST_WAIT if refusal.waits else LONGEST_WAIT_FOR_A_CHANGE
        longest = max(longest, len(self._standing) / TRIES_PER_SECOND)
        delay = max(error.retry_after or 0.0, retry_delay(tries, self._jitter(), longest))
        since = same.since if same else now
        self._standing.setdefault(resource, {})[child] = _Standing(digest, refusal, since, tries, now + delay)
        return delay

    def is_held(self, resource: Key, child: Key, digest: str) -> bool:
        """Whether the child was refused as it is wanted, and its time has not come."""
        found = self._standing.get(resource, {}).get(child)
        return found is not None and found.digest == digest and found.until > self._clock()

    def keep(self, resource: Key, children: Collection[Key]) -> None:
        """Forget the refusals of all other children of the resource."""
        kept = {child: found for child, found in self._standing.get(resource, {}).items() if child in children}
        if kept:
            self._standing[resource] = kept
        else:
            self._standing.pop(resource, None)

    def told(self, resource: Key, is_told: bool) -> list[Refusal]:
        """What is to be told of the resource. is_told: its status tells of a refusal already."""
        horizon = self._clock() - PATIENCE
        return [
            found.refusal
            for found in self._standing.get(resource, {}).values()
            if is_told or found.refusal.reason != API_SERVER_BUSY or found.since <= horizon
        ]

    def again(self, resource: Key) -> float | None:
        """Seconds until the next child may be tried, or None when none is refused."""
        found = self._standing.get(resource)
        return max(0.0, min(each.until for each in found.values()) - self._clock()) if found else None
