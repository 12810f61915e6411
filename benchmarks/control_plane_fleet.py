"""A growing number of resources: how fast the operator makes their children."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass

from control_plane_audit import AuditLog, Timeline, Write, quantile, tally, timeline
from control_plane_bed import OPERATOR, Usage, usage
from control_plane_client import Client, job
from testbed.controlplane import ControlPlane

FLEET = "fleet"
"""The namespace."""
PROGRAMS = ("operator", "kube-apiserver", "etcd")
QUIET_SECONDS = 1.5
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Burst:
    """Resources that were applied at once, or that were stored before."""

    count: int
    total: int
    """Resources of the operator afterwards."""
    seconds: float
    """From the first resource, or from the first child of those that were stored, to the last child."""
    latencies: list[float]
    """From a resource to its last child, in rising order; empty for those that were stored before."""
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
    """The resources in FLEET, which the operator works on."""

    def __init__(self, bed: ControlPlane, admin: Client) -> None:
        self.bed, self.admin = bed, admin
        self.log = AuditLog(bed.audit_log)
        self.size = 0

    async def furnish(self) -> None:
        """Make the namespace."""
        await self.admin.furnish(FLEET)

    async def grow(self, count: int) -> Burst:
        """Apply `count` more resources at once and wait until the operator has nothing more to do for them."""
        jobs = [job(FLEET, f"run-{self.size + number:05d}") for number in range(count)]
        self.log.writes()
        before, load = usage(self.bed), os.getloadavg()[0]
        creating = asyncio.create_task(self.admin.create_all(jobs))
        seen, used = await until_done(self.log, self.bed, count)
        await creating
        self.size += count
        found = timeline(seen, OPERATOR)
        writes = {resource: number / count for resource, number in tally(seen, OPERATOR).items()}
        return Burst(count, self.size, _span(found), found.latencies, writes, used.since(before), load)

    async def duplicates(self) -> int:
        """Children beyond one Job and NetworkPolicy for each resource; negative when some are missing."""
        kinds = ("NetworkPolicy", "Job")
        counts = [await self.admin.count(kind, FLEET) for kind in kinds]
        return sum(counts) - len(kinds) * self.size


async def until_done(
    log: AuditLog, bed: ControlPlane, count: int, seen: Sequence[Write] = ()
) -> tuple[list[Write], Usage]:
    """All writes until each of `count` resources has its children and a status and no more come, and what was used
    until then. seen: writes that were read before. Raises TimeoutError."""
    loop, found = asyncio.get_running_loop(), list(seen)
    deadline, quiet_since = loop.time() + PATIENCE_SECONDS, loop.time()
    used = usage(bed)
    while loop.time() < deadline:
        await asyncio.sleep(0.25)
        new = log.writes()
        found.extend(new)
        if any(write.user == OPERATOR and write.resource != "events" for write in new):
            quiet_since, used = loop.time(), usage(bed)
        if tally(found, OPERATOR)["finetunejobs/status"] < count or len(timeline(found, OPERATOR).whole) < count:
            continue
        if loop.time() - quiet_since > QUIET_SECONDS:
            return found, used
    raise TimeoutError(f"the children of {count} resources are not there after {PATIENCE_SECONDS:.0f} s")


def _span(found: Timeline) -> float:
    """Seconds from the first resource to the last child."""
    return max(found.whole.values()) - min(found.created.values())
