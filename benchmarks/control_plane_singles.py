"""One resource after the other on an idle control plane whose Job controller makes pods."""

import asyncio
from dataclasses import dataclass

from control_plane_audit import AuditLog, quantile, tally, timeline
from control_plane_bed import OPERATOR, Operator, control_plane, install
from control_plane_client import Client, job
from control_plane_fleet import FLEET

PAUSE_SECONDS = 0.25
LAST_SECONDS = 10.0
"""For the pods of the last ones, and for what the scheduler says of them."""


@dataclass(frozen=True)
class Singles:
    """Figures of resources that came singly."""

    idle_memory: float
    """Resident MiB of the operator without a resource."""
    latencies: list[float]
    """Seconds from a resource to its last child, in rising order."""
    writes: dict[str, float]
    """The operator's writes per resource, whatever they were."""

    def text(self) -> str:
        """The figures in words."""
        p50, p99, most = quantile(self.latencies, 0.5), quantile(self.latencies, 0.99), self.latencies[-1]
        listed = ", ".join(f"{resource} {number:.2f}" for resource, number in sorted(self.writes.items()))
        return (
            f"{len(self.latencies)} resources one after the other, their pods made and not schedulable:\n"
            f"apply -> last child: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, longest {most * 1000:.0f} ms\n"
            f"writes per resource: {sum(self.writes.values()):.2f} ({listed})\n"
            f"operator without resources: {self.idle_memory:.0f} MiB"
        )


async def singles(count: int) -> Singles:
    """Measure on a control plane of its own."""
    with control_plane(with_pods=True) as bed:
        install(bed)
        async with Client(bed.kubeconfig) as client:
            await client.furnish(FLEET)
            operator = Operator(bed, FLEET)
            operator.start()
            await asyncio.sleep(5)
            memory, log = operator.memory, AuditLog(bed.audit_log)
            for number in range(count):
                await client.create(job(FLEET, f"single-{number}"))
                await asyncio.sleep(PAUSE_SECONDS)
            await asyncio.sleep(LAST_SECONDS)
            seen = log.writes()
    found = timeline(seen, OPERATOR)
    if len(found.whole) != count:
        raise RuntimeError(f"{len(found.whole)} of {count} resources have their children")
    written = {resource: number / count for resource, number in tally(seen, OPERATOR).items()}
    return Singles(memory, found.latencies, written)
