"""A turn of one side: its controllers are started, its resources created at once, their children waited for."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psutil
from control_plane_audit import AuditLog, Timeline, Write, children_timeline, quantile
from control_plane_bed import Usage, usage
from control_plane_client import CONNECTIONS, Client
from control_plane_sides import Controllers, Side
from testbed.controlplane import ControlPlane

API_SERVER, ETCD = "kube-apiserver", "etcd"
QUIET_SECONDS = 1.5
PATIENCE_SECONDS = 300.0
PATIENCE_EACH = 0.5
"""More seconds of patience for each resource."""
NAME = "run-{:05d}"
NAME_LENGTH = len(NAME.format(0))
OF_THE_CLOCK = {"events", "leases"}
"""Resources whose writes say nothing of work that is left."""


@dataclass(frozen=True)
class Turn:
    """Figures of resources that were created at once."""

    side: str
    count: int
    seconds: float
    """From the first resource to the last child."""
    latencies: list[float]
    """Seconds from a resource to its last child, in rising order."""
    writes: dict[str, float]
    """The controllers' writes per resource."""
    controllers: float
    """Processor milliseconds of the controllers per resource, until they have no more to do."""
    server: float
    """The API server's."""
    etcd: float
    memory: float
    """Resident MiB of the controllers after."""
    others: float
    """Cores that processes took which are no part of the benchmark."""

    @property
    def rate(self) -> float:
        """Resources a second."""
        return self.count / self.seconds

    @property
    def processor(self) -> float:
        """Processor milliseconds per resource of controllers and API server together."""
        return self.controllers + self.server

    def quantile(self, share: float) -> float:
        """Seconds to the last child, of a share of the resources."""
        return quantile(self.latencies, share)


@contextmanager
def running(controllers: Iterable[Controllers]) -> Iterator[None]:
    """They run."""
    began = []
    try:
        for each in controllers:
            began.append(each)
            each.start()
        yield
    finally:
        for each in began:
            each.stop()


def timeline_of(writes: Iterable[Write], side: Side) -> Timeline:
    """When a side's resources were created, and when their children were all there."""
    own = [write for write in writes if write.namespace == side.namespace and write.resource in side.noted]
    return children_timeline(named(own, side), side.resource, side.users, side.children, owner_of)


def owner_of(name: str) -> str:
    """A child's resource, by the child's name."""
    return name[:NAME_LENGTH]


def named(writes: Iterable[Write], side: Side) -> Iterator[Write]:
    """The writes with a name each. Children that the API server names are noted without one: KubeRay's pods.

    It makes all children of one resource before those of the next, by default, and the Service first, which has a name.
    What it makes later after all is of the first resource that lacks some.
    """
    lacking: dict[str, int] = {}
    last = ""
    for number, write in enumerate(writes):
        if write.name and write.user in side.users:
            last = owner_of(write.name)
            lacking.setdefault(last, side.unnamed)
        if write.name:
            yield write
            continue
        owner = last if lacking.get(last) else next((each for each, left in lacking.items() if left), last)
        lacking[owner] = lacking.get(owner, 0) - 1
        yield replace(write, name=f"{owner}-{number}")


class Stage:
    """The bed with what the turns have in common."""

    def __init__(self, bed: ControlPlane, admin: Client, controllers: dict[str, tuple[Controllers, ...]]) -> None:
        self._bed, self._admin, self._controllers = bed, admin, controllers
        self._log = AuditLog(bed.audit_log)
        self._sizes: dict[str, int] = {}

    async def turn(self, side: Side, count: int) -> Turn:
        """Create `count` resources at once, after some that warm the controllers up."""
        with running(self._controllers[side.name]):
            await self._grow(side, CONNECTIONS)
            await self._rest()
            found = await self._grow(side, count)
            await self._rest()
            return self._figures(side, found)

    async def memory_at(self, side: Side, size: int) -> float:
        """Resident MiB of a side's controllers once there are `size` resources that they have made the children of."""
        with running(self._controllers[side.name]):
            await self._grow(side, max(0, size - self._sizes.get(side.name, 0)))
            return self._memory(side)

    async def _grow(self, side: Side, count: int) -> tuple[list[Write], Usage]:
        """All writes until each of `count` more resources has its children and its controllers write no more, and what
        that took."""
        size = self._sizes.get(side.name, 0)
        self._sizes[side.name] = size + count
        manifests = [side.manifest(side.namespace, NAME.format(size + number)) for number in range(count)]
        self._log.writes()
        before = usage(self._bed)
        creating = asyncio.create_task(self._admin.post_all(side.path, manifests))
        seen, used = await self._until_done(side, count, creating)
        return seen, used.since(before)

    async def _until_done(self, side: Side, count: int, creating: asyncio.Task[None]) -> tuple[list[Write], Usage]:
        deadline = time.monotonic() + PATIENCE_SECONDS + PATIENCE_EACH * count
        since, seen, used = time.monotonic(), list[Write](), usage(self._bed)
        while time.monotonic() < deadline:
            await asyncio.sleep(0.25)
            new = self._log.writes()
            seen.extend(new)
            if any(write.user in side.users and write.resource not in OF_THE_CLOCK for write in new):
                since, used = time.monotonic(), usage(self._bed)
            if not creating.done() or time.monotonic() - since < QUIET_SECONDS:
                continue
            await creating  # what was refused is raised here
            if len(timeline_of(seen, side).whole) >= count:
                return seen, used
        creating.cancel()
        found = timeline_of(seen, side)
        text = f"{len(found.created)} of {count} resources were created and {len(found.whole)} have their children"
        raise TimeoutError(f"{side.name}: {text}; the writes: {Counter(write.resource for write in seen)}")

    async def _rest(self) -> None:
        """Wait until nobody has anything left to do: Kubernetes' own controllers are slow to follow, and what they do
        is no part of the next turn."""
        since, deadline = time.monotonic(), time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() - since < QUIET_SECONDS and time.monotonic() < deadline:
            await asyncio.sleep(0.25)
            if any(write.resource not in OF_THE_CLOCK for write in self._log.writes()):
                since = time.monotonic()

    def _figures(self, side: Side, found: tuple[list[Write], Usage]) -> Turn:
        seen, used = found
        times = timeline_of(seen, side)
        count = len(times.created)
        writes = [write.resource for write in seen if write.user in side.users]

        def spent(*programs: str) -> float:
            return sum(used.by_program.get(name, 0.0) for name in programs) / count * 1000

        return Turn(
            side.name,
            count,
            max(times.whole.values()) - min(times.created.values()),
            times.latencies,
            {resource: writes.count(resource) / count for resource in sorted(set(writes))},
            spent(*side.programs),
            spent(API_SERVER),
            spent(ETCD),
            self._memory(side),
            used.others,
        )

    def _memory(self, side: Side) -> float:
        pids = [each.pid for each in self._controllers[side.name]]
        resident = [psutil.Process(pid).memory_info().rss for pid in pids if pid]
        return float(sum(resident)) / 2**20
