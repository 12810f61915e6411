"""One look at one resource: observe, decide, carry out, report. What is decided is none of this module's business."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from swiftlet.control.dependents import Dependents
from swiftlet.control.keys import Key, Manifest, key_of
from swiftlet.control.refusals import Refusals
from swiftlet.control.status_pace import StatusPace
from swiftlet.control.store import UNASKED, Store, StoreError, View
from swiftlet.control.tracing import span, tell
from swiftlet.kinds import RECONCILERS, Capabilities, Outcome, Reconciler
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.frame.invalid import INVALID, decided
from swiftlet.kinds.frame.outcome import ObjectRef
from swiftlet.kinds.frame.refused import is_told, refused_outcome
from swiftlet.kinds.owning.ownership import ATTEMPT_LABEL, NAME_CONFLICT

PASSES = 5
"""Decisions of one look. Two do: one makes the children, the next sees them. A name that is taken costs another."""
ROUNDS = 5
"""Decisions until everything that they ask for has been looked up."""
FIRST_WAIT, LONGEST_WAIT = 2.0, 30.0
"""Seconds between looks at something that is waited for and not watched; doubled each time."""


class UnsettledError(Exception):
    """Decisions did not come to rest within one look; the next look goes on."""


@dataclass(frozen=True)
class Look:
    """The end of one look.

    result: as `control.telemetry.Telemetry.reconciled` lists them. again: seconds until the clock alone asks for one
    more look, or None. first_write: when something was first written (time.monotonic), or None. refused: what the store
    answered to children in this look.
    """

    result: str
    again: float | None = None
    first_write: float | None = None
    refused: tuple[StoreError, ...] = ()


@dataclass
class _Sight:
    """What is known during one look, beyond what the store knows."""

    resource: Manifest
    live: dict[Key, Manifest | None] = field(default_factory=dict)
    first_write: float | None = None
    refused: dict[Key, StoreError] = field(default_factory=dict)
    """Children that the store refused in this look: none is tried twice in one."""
    stuck: bool = False
    """Something that is to be carried out cannot be now."""

    def wrote(self) -> None:
        """Something was written now."""
        self.first_write = self.first_write or time.monotonic()


class Reconciling:
    """Looks at resources. Never at the same one twice at a time: the work queue sees to that."""

    def __init__(
        self,
        store: Store,
        capabilities: Capabilities,
        now: Callable[[], datetime],
        reconcilers: Mapping[str, Reconciler] = RECONCILERS,
        pace: StatusPace | None = None,
    ) -> None:
        """pace: when statuses may be written; by default at the pace of a cluster."""
        self._store, self._capabilities, self._now, self._reconcilers = store, capabilities, now, reconcilers
        self._refusals = Refusals()
        self._pace = pace or StatusPace()
        self._waits: dict[Key, int] = {}
        self.dependents = Dependents()

    async def look_at(self, key: Key) -> Look:
        """One look. What the store refuses of children is told in the status, and tried again when the look says.

        Raises StoreError where the status itself is refused or nobody answers, UnsettledError, and whatever a
        reconciler raises; the next look repairs.
        """
        resource = self._store.get(key)
        if resource is None:
            self._forget(key)
            return Look("gone")
        if resource["metadata"].get("deletionTimestamp"):
            # Owner references take the children along; to make anything now would only be in the way.
            return Look("gone")
        sight = _Sight(resource)
        if not resource.get("status"):
            sight.live.update(await self._store.first_seen(resource))
        outcome, view = await self._settle(key, sight)
        refusals = self._refusals.told(key, is_told(resource))
        outcome = refused_outcome(resource, outcome, refusals, self._now())
        pause = (
            0.0 if sight.first_write else self._pace.seconds_to_wait(key, resource.get("status") or {}, outcome.status)
        )
        if pause:
            # The next look decides anew; events of what is then still so are told with it.
            return _within(pause, self._concluded(key, outcome, view, sight))
        await self._report(key, outcome, sight)
        return self._concluded(key, outcome, view, sight)

    async def tell_only(self, key: Key) -> None:
        """Write what is true of a resource, and make nothing: nobody would work on it. Raises as `look_at` does."""
        resource = self._store.get(key)
        if resource is not None:
            sight = _Sight(resource)
            outcome, _ = await self._decide(sight)
            await self._report(key, outcome, sight)

    async def _report(self, key: Key, outcome: Outcome, sight: _Sight) -> None:
        """Write the status, if it differs from what is there, and tell the Events. Raises StoreError."""
        with span("status", key) as found:
            is_written = await self._store.report(sight.resource, outcome.status)
            tell(found, written=is_written)
        if is_written:
            sight.wrote()
            self._pace.wrote(key)
        for event in outcome.events:
            self._store.tell(sight.resource, event)

    # Deciding

    async def _settle(self, key: Key, sight: _Sight) -> tuple[Outcome, View]:
        """Decide and carry out until nothing is left to do, so that the status tells of children that are there."""
        for _ in range(PASSES):
            outcome, view = await self._decide(sight)
            wanted = [self._store.signed(manifest) for manifest in outcome.desired]
            due = [manifest for manifest in wanted if self._store.is_due(manifest)]
            asked = [*outcome.delete, *(patch.target for patch in outcome.patches)]
            wanted_now = {key_of(manifest) for manifest in due} | {_key_of(reference) for reference in asked}
            self._refusals.keep(key, wanted_now)
            if sight.stuck or not wanted_now:
                return outcome, view
            await self._carry_out(key, outcome, due, sight)
            if sight.stuck and sight.first_write is None:
                return outcome, view
        raise UnsettledError(f"{key[0]} {key[1]}/{key[2]}: still something to write after {PASSES} decisions")

    async def _decide(self, sight: _Sight) -> tuple[Outcome, View]:
        reconciler = self._reconcilers[sight.resource["kind"]]
        for _ in range(ROUNDS):
            view = self._store.view(sight.resource, sight.live)
            outcome = decided(reconciler, sight.resource, view, self._now(), self._capabilities)
            # Before anything is awaited: a change of these from now on must wake the resource.
            self.dependents.record(key_of(sight.resource), view.watched)
            if not await self._store.completed(view, sight.live):
                return outcome, view
        raise UnsettledError(f"references of {key_of(sight.resource)} lead on and on")

    # Carrying out

    async def _carry_out(self, owner: Key, outcome: Outcome, due: list[Manifest], sight: _Sight) -> None:
        for reference in outcome.delete:
            async with self._trying(owner, _key_of(reference), "delete", sight) as may_try:
                if may_try:
                    with span("delete", _key_of(reference)):
                        await self._store.delete(reference)
                    sight.wrote()
        for patch in outcome.patches:
            async with self._trying(owner, _key_of(patch.target), repr(patch.fields), sight) as may_try:
                if may_try:
                    with span("patch", _key_of(patch.target)):
                        await self._store.patch(patch)
                    sight.wrote()
        for child in due:
            async with self._trying(owner, key_of(child), self._store.digest(child), sight) as may_try:
                if may_try and not await self._made(child, sight):
                    return
            if sight.stuck:
                return  # what comes later needs what comes before it

    async def _made(self, child: Manifest, sight: _Sight) -> bool:
        """Apply a child; False when its name is taken, which the next decision knows. Raises StoreError."""
        with span("apply", key_of(child), attempt=child["metadata"].get("labels", {}).get(ATTEMPT_LABEL)):
            is_made = await self._store.apply(child, sight.live)
        if is_made:
            sight.wrote()
        return is_made

    @asynccontextmanager
    async def _trying(self, owner: Key, child: Key, digest: str, sight: _Sight) -> AsyncIterator[bool]:
        """Whether the child may be tried now; a refusal of what is done within is noted. `digest`: of what is wanted.

        Raises StoreError where the store could not be asked, or does not know who asks.
        """
        if child in sight.refused or self._refusals.is_held(owner, child, digest):
            sight.stuck = True
            yield False
            return
        try:
            yield True
        except StoreError as error:
            if error.code in UNASKED:
                raise
            sight.stuck = True
            sight.refused[child] = error
            self._refusals.note(owner, child, digest, error)

    # Afterwards

    def _concluded(self, key: Key, outcome: Outcome, view: View, sight: _Sight) -> Look:
        again, asked = self._refusals.again(key), self._store.pause(key, view, outcome.requeue_after)
        if again is not None:
            pauses = [pause for pause in (again, asked) if pause is not None]
            return Look("refused", min(pauses), sight.first_write, tuple(sight.refused.values()))
        accepted = find_condition({"status": outcome.status}, "Accepted")
        # Only what waits is polled, and what somebody else's object is in the way of: nothing unwatched mends the rest.
        polled = accepted is not None and (accepted["status"] == "Unknown" or accepted["reason"] == NAME_CONFLICT)
        if not polled or not view.unwatched:
            self._waits.pop(key, None)
            is_invalid = accepted is not None and accepted["reason"] == INVALID
            result = "invalid" if is_invalid else "written" if sight.first_write else "unchanged"
            return Look(result, asked, sight.first_write)
        self._store.doubt(view.unwatched)
        waits = self._waits.get(key, 0)
        self._waits[key] = waits + 1
        pause = min(FIRST_WAIT * 2.0 ** min(waits, 10), LONGEST_WAIT)
        return Look("waiting", min(pause, asked or pause), sight.first_write)

    def _forget(self, key: Key) -> None:
        self._waits.pop(key, None)
        self._store.forget(key)
        self._pace.forget(key)
        self._refusals.keep(key, ())
        self.dependents.forget(key)


def _within(seconds: float, look: Look) -> Look:
    """`look`, and the next one not later than this."""
    return replace(look, again=seconds if look.again is None else min(seconds, look.again))


def _key_of(reference: ObjectRef) -> Key:
    return reference.kind, reference.namespace or "", reference.name
