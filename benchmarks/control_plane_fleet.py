"""A growing number of resources: how fast the operator makes their children, and a bare client the same children."""

import asyncio
import os
from dataclasses import dataclass

from control_plane_audit import CHILDREN, AuditLog, Timeline, Write, quantile, tally, timeline
from control_plane_bed import BARE, OPERATOR, Usage, usage
from control_plane_client import Client, children_of, job
from testbed.controlplane import ControlPlane

FLEET, BESIDE = "fleet", "beside"
"""Namespaces of the operator and of the bare client."""
PROGRAMS = ("operator", "kube-apiserver", "etcd")
QUIET_SECONDS = 1.5
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Burst:
    """Resources that were applied at once, or the children alone by the bare client."""

    count: int
    total: int
    """Resources of the operator afterwards."""
    seconds: float
    """From the first request to the last child."""
    latencies: list[float]
    """From a resource to its last child, in rising order; empty for the bare client."""
    writes: dict[str, float]
    """Writes per resource."""
    used: Usage
    load: float
    """Load average of the machine before."""

    @property
    def rate(self) -> float:
        """Resources per second whose children were made."""
        return self.count / self.seconds

    def milliseconds(self, program: str) -> float:
        """Processor time per resource."""
        return self.used.by_program.get(program, 0.0) / self.count * 1000

    def line(self, who: str) -> str:
        """The figures in a row."""
        parts = [f"{who:<12}{self.count:>6}{self.total:>8}{self.rate:>9.1f}"]
        p50, p99 = (f"{quantile(self.latencies, q):.1f}" if self.latencies else "" for q in (0.5, 0.99))
        parts.append(f"{p50:>8}{p99:>8}")
        client = "benchmark" if who == "bare client" else "operator"
        parts.extend(f"{self.milliseconds(program):>10.1f}" for program in (client, "kube-apiserver", "etcd"))
        return "".join([*parts, f"{self.used.others:>8.2f}{self.load:>7.1f}"])


HEADING = (
    f"{'who':<12}{'burst':>6}{'total':>8}{'per s':>9}{'p50 s':>8}{'p99 s':>8}"
    f"{'client':>10}{'apiserver':>10}{'etcd':>10}{'others':>8}{'load':>7}"
)


class Fleet:
    """The resources in FLEET, which the operator works on, and those in BESIDE, which it does not watch."""

    def __init__(self, bed: ControlPlane, admin: Client, bare: Client) -> None:
        self.bed, self.admin, self._bare = bed, admin, bare
        self.log = AuditLog(bed.audit_log)
        self.size, self._aside = 0, 0

    async def furnish(self) -> None:
        """Make both namespaces."""
        for namespace in (FLEET, BESIDE):
            await self.admin.furnish(namespace)

    async def grow(self, count: int) -> Burst:
        """Apply `count` more resources at once and wait until the operator has nothing more to do for them."""
        jobs = [job(FLEET, f"run-{self.size + number:05d}") for number in range(count)]
        self.log.writes()
        before, load = usage(self.bed), os.getloadavg()[0]
        creating = asyncio.create_task(self.admin.create_all(jobs))
        seen, used = await self._until_done(count)
        await creating
        self.size += count
        found = timeline(seen, OPERATOR)
        writes = {resource: number / count for resource, number in tally(seen, OPERATOR).items()}
        return Burst(count, self.size, _span(found), found.latencies, writes, used.since(before), load)

    async def beside(self, count: int) -> Burst:
        """The bare client applies the children of `count` other resources, which are there before."""
        owners = [job(BESIDE, f"run-{self._aside + number:05d}") for number in range(count)]
        self._aside += count
        stored = await self.admin.create_all(owners)
        children = [child for owner in stored for child in children_of(owner)]
        self.log.writes()
        before, load = usage(self.bed), os.getloadavg()[0]
        await self._bare.apply_all(children)
        used = usage(self.bed)
        await asyncio.sleep(0.5)
        made = [write for write in self.log.writes() if write.user == BARE and write.resource in CHILDREN]
        if len(made) != len(children):
            raise RuntimeError(f"{len(made)} of {len(children)} applied objects are in the audit log")
        seconds = max(write.answered for write in made) - min(write.asked for write in made)
        writes = {resource: number / count for resource, number in tally(made, BARE).items()}
        return Burst(count, self.size, seconds, [], writes, used.since(before), load)

    async def duplicates(self) -> int:
        """Children beyond one Job, NetworkPolicy and ConfigMap for each resource; negative when some are missing."""
        others = {"ConfigMap": 2}  # the rows, and the CA that the controller manager puts into each namespace
        kinds = ("ConfigMap", "NetworkPolicy", "Job")
        counts = [await self.admin.count(kind, FLEET) - others.get(kind, 0) for kind in kinds]
        return sum(counts) - len(kinds) * self.size

    async def _until_done(self, count: int) -> tuple[list[Write], Usage]:
        """All writes until each resource has its children and a status and no more come, and what that took."""
        loop = asyncio.get_running_loop()
        deadline, quiet_since = loop.time() + PATIENCE_SECONDS, loop.time()
        seen: list[Write] = []
        used = usage(self.bed)
        while loop.time() < deadline:
            await asyncio.sleep(0.25)
            new = self.log.writes()
            seen.extend(new)
            if any(write.user == OPERATOR and write.resource != "events" for write in new):
                quiet_since, used = loop.time(), usage(self.bed)
            if tally(seen, OPERATOR)["finetunejobs/status"] < count or len(timeline(seen, OPERATOR).whole) < count:
                continue
            if loop.time() - quiet_since > QUIET_SECONDS:
                return seen, used
        raise TimeoutError(f"the children of {count} resources are not there after {PATIENCE_SECONDS:.0f} s")


def _span(found: Timeline) -> float:
    """Seconds from the first resource to the last child."""
    return max(found.whole.values()) - min(found.created.values())
