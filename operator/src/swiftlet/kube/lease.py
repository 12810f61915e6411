"""Which replica works: the holder of a Lease. Source of the protocol: client-go, tools/leaderelection.

A candidate never compares clocks of different machines: it takes the Lease when it has seen no renewal for the Lease's
own duration by its own clock. A holder that cannot renew gives up well before that time is over.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from swiftlet.kube.client import ApiError, KubeClient

Manifest = dict[str, Any]

DURATION_SECONDS = 15
"""Without a renewal for this long another replica may take over."""
RENEW_SECONDS = 2.0
"""Between renewals, and between the tries of those that wait."""
GIVE_UP_SECONDS = 10.0
"""A holder whose renewals have failed for this long stops: it has to be silent before DURATION_SECONDS are over."""
TRY_SECONDS = 4.0
"""For one try."""

ADDRESS_ANNOTATION = "swiftlet.dev/address"
"""On the Lease: `http://host:port` of the holder, for replicas that hand something on to it."""

KEY_ANNOTATION = "swiftlet.dev/standby-key"
"""On the Lease: by which the holder knows what other replicas hand on to it."""

log = logging.getLogger(__name__)


class LeaseLostError(Exception):
    """This replica no longer holds the Lease. The process must end, and start again as a candidate."""


@dataclass(frozen=True)
class Candidate:
    """Who wants to hold which Lease. address: `http://host:port`, or None when there is nothing to hand on to. key: to
    be known by those who do."""

    namespace: str
    name: str
    identity: str
    address: str | None = None
    key: str | None = None


@dataclass
class Observation:
    """The last change of a Lease that this process has seen, and when by its own clock."""

    version: str = ""
    since: float = 0.0

    def see(self, lease: Manifest, now: float) -> float:
        """Take up the Lease as it is; the seconds for which it has been like this."""
        version = lease["metadata"]["resourceVersion"]
        if version != self.version:
            self.version, self.since = version, now
        return now - self.since


def may_take(lease: Manifest, identity: str, unchanged_seconds: float) -> bool:
    """Whether a candidate may make itself the holder."""
    spec = lease.get("spec") or {}
    holder = spec.get("holderIdentity")
    if not holder or holder == identity:
        return True
    return unchanged_seconds >= float(spec.get("leaseDurationSeconds") or DURATION_SECONDS)


def claim(candidate: Candidate, lease: Manifest | None, moment: datetime) -> Manifest:
    """What to write to become, or to stay, the holder."""
    before = (lease or {}).get("spec") or {}
    stays = before.get("holderIdentity") == candidate.identity
    transitions = (before.get("leaseTransitions") or 0) + (0 if stays or lease is None else 1)
    spec = {
        "holderIdentity": candidate.identity,
        "leaseDurationSeconds": DURATION_SECONDS,
        "acquireTime": before.get("acquireTime") if stays else _micro(moment),
        "renewTime": _micro(moment),
        "leaseTransitions": transitions,
    }
    annotations = {ADDRESS_ANNOTATION: candidate.address, KEY_ANNOTATION: candidate.key}
    return {"metadata": {"annotations": annotations}, "spec": spec}


def released(lease: Manifest, moment: datetime) -> Manifest:
    """What to write so that others need not wait."""
    spec = {"holderIdentity": None, "leaseDurationSeconds": 1, "renewTime": _micro(moment)}
    return {
        "metadata": {
            "resourceVersion": lease["metadata"]["resourceVersion"],
            "annotations": {ADDRESS_ANNOTATION: None, KEY_ANNOTATION: None},
        },
        "spec": spec,
    }


def _micro(moment: datetime) -> str:
    """metav1.MicroTime."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Election:
    """The Lease as this replica sees it."""

    client: KubeClient
    candidate: Candidate
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    pause: float = RENEW_SECONDS
    _lease: Manifest | None = None
    _observation: Observation = field(default_factory=Observation)
    _renewed: float | None = None
    """When the renewal that succeeded last was begun; None while this replica does not hold the Lease."""
    _heard: float | None = None
    """When the API server answered last."""

    @property
    def is_leader(self) -> bool:
        """Whether this replica holds the Lease, and may go on writing for now."""
        return self.write_seconds > 0

    @property
    def write_seconds(self) -> float:
        """For how long this replica may still write if no further renewal succeeds; 0 or less when it may not."""
        return 0.0 if self._renewed is None else GIVE_UP_SECONDS - (self.clock() - self._renewed)

    @property
    def leader_address(self) -> str | None:
        """`http://host:port` of the holder, or None when it is not known."""
        return self._annotations.get(ADDRESS_ANNOTATION)

    @property
    def leader_key(self) -> str | None:
        """By which the holder knows its standbys, or None when it is not known."""
        return self._annotations.get(KEY_ANNOTATION)

    @property
    def _annotations(self) -> dict[str, str]:
        return ((self._lease or {}).get("metadata") or {}).get("annotations") or {}

    @property
    def silent_seconds(self) -> float | None:
        """For how long the API server has not answered; None before its first answer."""
        return None if self._heard is None else self.clock() - self._heard

    async def acquire(self) -> None:
        """Wait until this replica holds the Lease."""
        told = ""
        while not await self._try():
            holder = ((self._lease or {}).get("spec") or {}).get("holderIdentity") or ""
            if holder and holder != told:
                log.info("standing by: %s leads", holder)
                told = holder
            await asyncio.sleep(self.pause)
        log.info("leading as %s", self.candidate.identity)

    async def hold(self) -> None:
        """Renew for ever. Raises LeaseLostError when that has failed for too long, or somebody else has the Lease."""
        while True:
            await asyncio.sleep(self.pause)
            if not await self._try() and not self.is_leader:
                raise LeaseLostError("the lease was lost")

    async def release(self) -> None:
        """Let another replica take over at once. To be called when nothing is written any more."""
        lease, held = self._lease, self._renewed is not None
        self._renewed = None
        if lease is None or not held:
            return
        try:
            async with asyncio.timeout(TRY_SECONDS):
                await self._patch(released(lease, self.now()))
        except (ApiError, TimeoutError) as error:
            log.warning("the lease could not be released, others wait for it to run out: %s", error)

    async def _try(self) -> bool:
        """Take or renew the Lease; False when that is not possible now."""
        try:
            async with asyncio.timeout(TRY_SECONDS):
                return await self._take()
        except (ApiError, TimeoutError) as error:
            # A conflict means that somebody else was faster, or that our own answer got lost: look again.
            if isinstance(error, ApiError) and error.code == 409:
                self._lease = None
            else:
                log.warning("lease %s: %s", self.candidate.name, error or "no answer in time")
            return False

    async def _take(self) -> bool:
        begun = self.clock()
        lease = self._lease if self.is_leader and self._lease else await self._look()
        self._heard = self.clock()
        if lease is not None and not may_take(
            lease, self.candidate.identity, self._observation.see(lease, self.clock())
        ):
            self._lease, self._renewed = lease, None
            return False
        wanted = claim(self.candidate, lease, self.now())
        if lease is None:
            self._lease = await self._create(wanted)
        else:
            wanted["metadata"]["resourceVersion"] = lease["metadata"]["resourceVersion"]
            self._lease = await self._patch(wanted)
        self._renewed = begun
        self._heard = self.clock()
        return True

    async def _look(self) -> Manifest | None:
        return await self.client.get("Lease", self.candidate.namespace, self.candidate.name)

    async def _patch(self, patch: Manifest) -> Manifest:
        return await self.client.patch("Lease", self.candidate.namespace, self.candidate.name, patch)

    async def _create(self, wanted: Manifest) -> Manifest:
        annotations = {name: text for name, text in wanted["metadata"]["annotations"].items() if text is not None}
        metadata = {
            "name": self.candidate.name,
            "namespace": self.candidate.namespace,
            "annotations": annotations,
        }
        return await self.client.create(
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": wanted["spec"]}
        )
