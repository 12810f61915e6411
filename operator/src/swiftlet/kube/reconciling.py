"""One look at one resource: observe, decide, carry out, report. What is decided is none of this module's business."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from swiftlet.kinds import RECONCILERS, Capabilities, Event, Outcome, Reconciler
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.frame.invalid import INVALID, decided
from swiftlet.kinds.frame.outcome import ObjectRef
from swiftlet.kinds.frame.refused import is_told, refused_outcome
from swiftlet.kinds.owning.ownership import ATTEMPT_LABEL, NAME_CONFLICT
from swiftlet.kube.cache import Cache, Key, key_of
from swiftlet.kube.carrying_out import Writer
from swiftlet.kube.client import ApiError, KubeClient
from swiftlet.kube.complaints import Complaints
from swiftlet.kube.dependents import Dependents
from swiftlet.kube.live import LiveLookups
from swiftlet.kube.reader import ClusterReader, named_by
from swiftlet.kube.refusals import Refusals
from swiftlet.kube.standing import digest_of, signed
from swiftlet.kube.status_pace import StatusPace
from swiftlet.kube.tracing import span, tell

Manifest = dict[str, Any]

PASSES = 5
"""Decisions of one look. Two do: one makes the children, the next sees them. A name that is taken costs another."""
ROUNDS = 5
"""Decisions until everything that they ask for has been looked up."""
UNASKED = frozenset({0, 401})
"""Codes of errors that say nothing about a child: nobody answered, or the operator's credentials are not known."""
FIRST_WAIT, LONGEST_WAIT = 2.0, 30.0
"""Seconds between looks at something that is waited for and not watched; doubled each time."""


class UnsettledError(Exception):
    """Decisions did not come to rest within one look; the next look goes on."""


@dataclass(frozen=True)
class Look:
    """The end of one look.

    result: as `kube.telemetry.Telemetry.reconciled` lists them. again: seconds until the clock alone asks for another
    look, or None. first_write: when something was first written (time.monotonic), or None. refused: what the API server
    answered to children in this look.
    """

    result: str
    again: float | None = None
    first_write: float | None = None
    refused: tuple[ApiError, ...] = ()


@dataclass
class _Sight:
    """What is known during one look, beyond the cache."""

    resource: Manifest
    live: dict[Key, Manifest | None] = field(default_factory=dict)
    first_write: float | None = None
    refused: dict[Key, ApiError] = field(default_factory=dict)
    """Children that the API server refused in this look: none is tried twice in one."""
    stuck: bool = False
    """Something that is to be carried out cannot be now."""

    def wrote(self) -> None:
        """Something was written now."""
        self.first_write = self.first_write or time.monotonic()


class Reconciling:
    """Looks at resources. Never at the same one twice at a time: the work queue sees to that."""

    def __init__(
        self,
        client: KubeClient,
        cache: Cache,
        capabilities: Capabilities,
        now: Callable[[], datetime],
        progress: Callable[[str], dict[str, Any] | None] = lambda uid: None,
        tell: Callable[[Manifest, Event], None] = lambda resource, event: None,
        reconcilers: Mapping[str, Reconciler] = RECONCILERS,
        pace: StatusPace | None = None,
    ) -> None:
        """progress: what pods reported, by uid. tell: takes the Events; it must not block."""
        self._cache, self._capabilities, self._now = cache, capabilities, now
        self._progress, self._tell, self._reconcilers = progress, tell, reconcilers
        self._lookups = LiveLookups(client)
        self._writer = Writer(client, cache, now)
        self._refusals, self._complaints = Refusals(), Complaints(client)
        self._pace = pace or StatusPace()
        self._waits: dict[Key, int] = {}
        self.dependents = Dependents()

    async def look_at(self, key: Key) -> Look:
        """One look. What the API server refuses of children is told in the status, and tried again when the look says.

        Raises ApiError where the status itself is refused or nobody answers, UnsettledError, and whatever a reconciler
        raises; the next look repairs.
        """
        resource = self._cache.get(key)
        if resource is None:
            self._forget(key)
            return Look("gone")
        if resource["metadata"].get("deletionTimestamp"):
            # Owner references take the children along; to make anything now would only be in the way.
            return Look("gone")
        sight = _Sight(resource)
        if not resource.get("status"):
            await self._look_up(named_by(resource), sight)
        outcome, reader = await self._settle(key, sight)
        refusals = self._refusals.told(key, is_told(resource))
        outcome = refused_outcome(resource, outcome, refusals, self._now())
        pause = (
            0.0 if sight.first_write else self._pace.seconds_to_wait(key, resource.get("status") or {}, outcome.status)
        )
        if pause:
            # The next look decides anew; events of what is then still so are told with it.
            return _within(pause, self._concluded(key, outcome, reader, sight))
        await self._report(key, outcome.status, sight)
        for event in outcome.events:
            self._tell(resource, event)
        return self._concluded(key, outcome, reader, sight)

    async def _report(self, key: Key, status: Manifest, sight: _Sight) -> None:
        """Write the status, if it differs from what is there. Raises ApiError."""
        with span("status", key) as found:
            is_written = await self._writer.report(sight.resource, status)
            tell(found, written=is_written)
        if is_written:
            sight.wrote()
            self._pace.wrote(key)

    def forget_child(self, key: Key) -> None:
        """A child is gone."""
        self._writer.forget(key)

    # Deciding

    async def _settle(self, key: Key, sight: _Sight) -> tuple[Outcome, ClusterReader]:
        """Decide and carry out until nothing is left to do, so that the status tells of children that are there."""
        for _ in range(PASSES):
            outcome, reader = await self._decide(sight)
            wanted = [signed(manifest) for manifest in outcome.desired]
            due = [manifest for manifest in wanted if self._writer.is_due(manifest)]
            asked = [*outcome.delete, *(patch.target for patch in outcome.patches)]
            wanted_now = {key_of(manifest) for manifest in due} | {_key_of(reference) for reference in asked}
            self._refusals.keep(key, wanted_now)
            if sight.stuck or not wanted_now:
                return outcome, reader
            await self._carry_out(key, outcome, due, sight)
            if sight.stuck and sight.first_write is None:
                return outcome, reader
        raise UnsettledError(f"{key[0]} {key[1]}/{key[2]}: still something to write after {PASSES} decisions")

    async def _decide(self, sight: _Sight) -> tuple[Outcome, ClusterReader]:
        for _ in range(ROUNDS):
            known = self._lookups.fresh, self._progress, self._complaints.known, self._capabilities.default_profile
            reader = ClusterReader(self._cache, sight.resource, sight.live, *known)
            outcome = self._decision(sight.resource, reader)
            # Before anything is awaited: a change of these from now on must wake the resource.
            self.dependents.record(key_of(sight.resource), reader.watched)
            asking = [job for job in reader.hindered if self._complaints.may_ask(job)]
            if not reader.missing and not asking:
                return outcome, reader
            await asyncio.gather(*map(self._complaints.ask, asking))
            await self._look_up(reader.missing, sight)
        raise UnsettledError(f"references of {key_of(sight.resource)} lead on and on")

    def _decision(self, resource: Manifest, reader: ClusterReader) -> Outcome:
        return decided(self._reconcilers[resource["kind"]], resource, reader, self._now(), self._capabilities)

    async def _look_up(self, keys: set[Key], sight: _Sight) -> None:
        wanted = [key for key in keys if key not in sight.live and self._lookups.fresh(key) is None]
        found = await asyncio.gather(*(self._lookups.look(key) for key in wanted))
        sight.live.update(zip(wanted, found, strict=True))

    # Carrying out

    async def _carry_out(self, owner: Key, outcome: Outcome, due: list[Manifest], sight: _Sight) -> None:
        for reference in outcome.delete:
            async with self._trying(owner, _key_of(reference), "delete", sight) as may_try:
                if may_try:
                    with span("delete", _key_of(reference)):
                        await self._writer.delete(reference)
                    sight.wrote()
        for patch in outcome.patches:
            async with self._trying(owner, _key_of(patch.target), repr(patch.fields), sight) as may_try:
                if may_try:
                    with span("patch", _key_of(patch.target)):
                        await self._writer.patch(patch)
                    sight.wrote()
        for manifest in due:
            key = key_of(manifest)
            async with self._trying(owner, key, digest_of(manifest), sight) as may_try:
                if may_try and not await self._made(manifest, sight):
                    return
            if sight.stuck:
                return  # what comes later needs what comes before it

    async def _made(self, manifest: Manifest, sight: _Sight) -> bool:
        """Apply a child; False when its name is taken, which the next decision knows. Raises ApiError."""
        key = key_of(manifest)
        is_there = self._cache.uid(key) is not None or sight.live.get(key) is not None
        with span("apply", key, attempt=manifest["metadata"].get("labels", {}).get(ATTEMPT_LABEL)):
            stored = await self._writer.apply(manifest, is_there)
        if stored is None:
            # Taken: by a child that the cache had not seen, or by somebody else.
            sight.live[key] = await self._writer.occupant(key)
            return False
        sight.live[key] = stored
        sight.wrote()
        return True

    @asynccontextmanager
    async def _trying(self, owner: Key, child: Key, digest: str, sight: _Sight) -> AsyncIterator[bool]:
        """Whether the child may be tried now; a refusal of what is done within is noted. `digest`: of what is wanted.

        Raises ApiError where the API server could not be asked, or does not know the operator.
        """
        if child in sight.refused or self._refusals.is_held(owner, child, digest):
            sight.stuck = True
            yield False
            return
        try:
            yield True
        except ApiError as error:
            if error.code in UNASKED:
                raise
            sight.stuck = True
            sight.refused[child] = error
            self._refusals.note(owner, child, digest, error)

    # Afterwards

    def _concluded(self, key: Key, outcome: Outcome, reader: ClusterReader, sight: _Sight) -> Look:
        again, asked = self._refusals.again(key), self._pause(key, outcome, reader)
        if again is not None:
            pauses = [pause for pause in (again, asked) if pause is not None]
            return Look("refused", min(pauses), sight.first_write, tuple(sight.refused.values()))
        accepted = find_condition({"status": outcome.status}, "Accepted")
        # Only what waits is polled, and what somebody else's object is in the way of: nothing unwatched mends the rest.
        polled = accepted is not None and (accepted["status"] == "Unknown" or accepted["reason"] == NAME_CONFLICT)
        if not polled or not reader.unwatched:
            self._waits.pop(key, None)
            is_invalid = accepted is not None and accepted["reason"] == INVALID
            result = "invalid" if is_invalid else "written" if sight.first_write else "unchanged"
            return Look(result, asked, sight.first_write)
        self._lookups.doubt(reader.unwatched)
        waits = self._waits.get(key, 0)
        self._waits[key] = waits + 1
        pause = min(FIRST_WAIT * 2.0 ** min(waits, 10), LONGEST_WAIT)
        return Look("waiting", min(pause, asked or pause), sight.first_write)

    def _pause(self, key: Key, outcome: Outcome, reader: ClusterReader) -> float | None:
        """Seconds until the clock alone asks for another look."""
        if not reader.hindered or outcome.requeue_after is None:
            self._complaints.forget(key)
            return outcome.requeue_after
        return self._complaints.wait(key, outcome.requeue_after)

    def _forget(self, key: Key) -> None:
        self._waits.pop(key, None)
        self._complaints.forget(key)
        self._pace.forget(key)
        self._refusals.keep(key, ())
        self.dependents.forget(key)


def _within(seconds: float, look: Look) -> Look:
    """`look`, and the next one not later than this."""
    return replace(look, again=seconds if look.again is None else min(seconds, look.again))


def _key_of(reference: ObjectRef) -> Key:
    return reference.kind, reference.namespace or "", reference.name
