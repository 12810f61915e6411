"""The operator and a bare client, each before a backlog of its own: FineTuneJobs that are stored and have no children.

So both do the same: nothing is created meanwhile, and the time runs from the first child to the last.
"""

import asyncio
import os
from dataclasses import dataclass

from control_plane_audit import CHILDREN, AuditLog, Write, tally
from control_plane_bed import BARE, OPERATOR, Operator, usage
from control_plane_client import Client, children_of, job
from control_plane_fleet import PATIENCE_SECONDS, Burst, until_done
from testbed.controlplane import ControlPlane

ROUNDS = 2
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Round:
    """Both sides, one after the other."""

    ours: Burst
    bare: Burst

    @property
    def ratio(self) -> float:
        """The operator's rate over the bare client's."""
        return self.ours.rate / self.bare.rate


class Backlogs:
    """A namespace for every side of every round."""

    def __init__(self, bed: ControlPlane, admin: Client, bare: Client) -> None:
        self._bed, self._admin, self._bare = bed, admin, bare
        self._log = AuditLog(bed.audit_log)

    async def rounds(self, count: int) -> list[Round]:
        """`count` resources for each side of each round; no round for none."""
        return [
            Round(await self._operator(f"stored-{number}", count), await self._bare_client(f"bare-{number}", count))
            for number in range(ROUNDS if count else 0)
        ]

    async def _operator(self, namespace: str, count: int) -> Burst:
        """The operator is started once everything is stored. What it uses until its first write is not counted."""
        await self._stored(namespace, count)
        load, seen = os.getloadavg()[0], self._log.writes()
        operator = Operator(self._bed, namespace)
        operator.start()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not any(write.user == OPERATOR for write in seen):
                    await asyncio.sleep(LOOK_SECONDS)
                    seen.extend(self._log.writes())
            before = usage(self._bed)
            seen, used = await until_done(self._log, self._bed, count, seen)
        finally:
            operator.stop()
        writes = {resource: number / count for resource, number in tally(seen, OPERATOR).items()}
        return Burst(count, count, _span(seen, OPERATOR), [], writes, used.since(before), load)

    async def _bare_client(self, namespace: str, count: int) -> Burst:
        stored = await self._stored(namespace, count)
        children = [child for owner in stored for child in children_of(owner)]
        self._log.writes()
        before, load = usage(self._bed), os.getloadavg()[0]
        await self._bare.apply_all(children)
        used = usage(self._bed)
        await asyncio.sleep(0.5)
        made = self._log.writes()
        writes = {resource: number / count for resource, number in tally(made, BARE).items()}
        if sum(tally(made, BARE).values()) != len(children):
            raise RuntimeError(f"{writes} of {len(children)} applied objects are in the audit log")
        return Burst(count, count, _span(made, BARE), [], writes, used.since(before), load)

    async def _stored(self, namespace: str, count: int) -> list[dict[str, object]]:
        await self._admin.furnish(namespace)
        self._log.writes()
        return await self._admin.create_all([job(namespace, f"run-{number:05d}") for number in range(count)])


def _span(writes: list[Write], user: str) -> float:
    """Seconds from the first child's request to the last one's answer."""
    made = [write for write in writes if write.user == user and write.resource in CHILDREN]
    return max(write.answered for write in made) - min(write.asked for write in made)
