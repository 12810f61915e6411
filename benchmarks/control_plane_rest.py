"""The operator at rest: what a restart costs and finds, what it then writes, and what it uses while nothing happens."""

import asyncio
import time
from dataclasses import dataclass

from control_plane_audit import tally
from control_plane_bed import OPERATOR, Operator
from control_plane_fleet import Fleet
from swiftlet.kube.relisting import RESYNC_SECONDS, WATCHED

REST_SECONDS = 15.0


@dataclass(frozen=True)
class Rest:
    """Figures of one size."""

    size: int
    working_memory: float
    """Resident MiB after the resources had come one after the other, before the restart."""
    memory: float
    """Resident MiB after a restart, at rest."""
    observed: float
    """Seconds from the start of the process until each resource was listed and looked at."""
    duplicates: int
    writes: int
    """Writes from the restart to the end of the rest, a full listing included."""
    processor: float
    """Share of a core at rest, the listing every ten minutes included."""

    def line(self) -> str:
        """The figures in a row."""
        return (
            f"{self.size:>9}{self.working_memory:>13.0f}{self.memory:>9.0f}{self.observed:>10.1f}"
            f"{self.duplicates:>12}{self.writes:>8}{self.processor:>9.2%}"
        )


HEADING = (
    f"{'resources':>9}{'MiB working':>13}{'at rest':>9}{'restart s':>10}{'duplicates':>12}{'writes':>8}{'a core':>9}"
)


async def rest(fleet: Fleet, running: Operator, following: Operator) -> Rest:
    """Replace the running operator by one that follows, and watch that rest."""
    working = running.memory
    running.stop()
    fleet.log.writes()
    began = time.monotonic()
    following.start()
    while following.metric("swiftlet_reconciles_total") < fleet.size:
        await asyncio.sleep(0.5)
    observed = time.monotonic() - began
    listing_from, listing_cost = time.monotonic(), following.processor_seconds
    while following.metric("swiftlet_relists_total") < 2 * len(WATCHED):
        await asyncio.sleep(2)
    listing_time, listing_cost = time.monotonic() - listing_from, following.processor_seconds - listing_cost
    await asyncio.sleep(2)
    before = following.processor_seconds
    await asyncio.sleep(REST_SECONDS)
    share = (following.processor_seconds - before) / REST_SECONDS
    again = max(0.0, listing_cost - share * listing_time) / RESYNC_SECONDS
    written = sum(tally(fleet.log.writes(), OPERATOR).values())
    return Rest(fleet.size, working, following.memory, observed, await fleet.duplicates(), written, share + again)
