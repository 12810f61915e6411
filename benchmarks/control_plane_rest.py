"""The operator at rest: what a restart costs and finds, what it then writes, and what it uses while nothing happens."""

import asyncio
import statistics
import time
from dataclasses import dataclass

from control_plane_audit import tally
from control_plane_bed import OPERATOR, Operator
from control_plane_fleet import Fleet
from swiftlet.kube.relisting import RESYNC_SECONDS, WATCHED

SHORT_RESYNC = 45.0
"""Seconds between two listings of a kind here, so that some can be waited for."""
LISTINGS = 2
"""Of all kinds, that are waited for at rest."""
QUIET = 0.05
"""Share of a core below which the operator has come to rest."""
LONGEST_SETTLING = 300.0
LAUNCHER = (
    "-c",
    "import runpy, sys, swiftlet.kube.relisting as relisting; "
    f"relisting.RESYNC_SECONDS = {SHORT_RESYNC}; sys.argv = sys.argv[1:]; "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)",
)
"""Starts an operator that lists more often than it otherwise would."""


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
    settled: float
    """Seconds from the start until nothing was left to do, of what the watches told once more too."""
    duplicates: int
    writes: int
    """Writes from the restart to the end of the rest, a full listing included."""
    processor: float
    """Share of a core at rest, the listing every ten minutes included."""
    listing: float
    """Processor seconds of one listing of every kind."""

    def line(self) -> str:
        """The figures in a row."""
        return (
            f"{self.size:>9}{self.working_memory:>13.0f}{self.memory:>9.0f}{self.observed:>10.1f}{self.settled:>9.0f}"
            f"{self.duplicates:>12}{self.writes:>8}{self.listing:>10.1f}{self.processor:>9.2%}"
        )


HEADING = (
    f"{'resources':>9}{'MiB working':>13}{'at rest':>9}{'observed s':>11}{'rest s':>8}"
    f"{'duplicates':>12}{'writes':>8}{'listing s':>10}{'a core':>9}"
)


async def rest(fleet: Fleet, running: Operator, following: Operator) -> Rest:
    """Replace the running operator by one that follows (started by LAUNCHER), and watch that rest."""
    working = running.memory
    running.stop()
    fleet.log.writes()
    began = time.monotonic()
    following.start()
    while following.metric("swiftlet_reconciles_total") < fleet.size:
        await asyncio.sleep(0.5)
    observed = time.monotonic() - began
    await _quiet(following, began + LONGEST_SETTLING)
    settled = time.monotonic() - began
    idle, listing = await _listings(following)
    written = sum(tally(fleet.log.writes(), OPERATOR).values())
    share = idle + listing / RESYNC_SECONDS
    duplicates = await fleet.duplicates()
    return Rest(fleet.size, working, following.memory, observed, settled, duplicates, written, share, listing)


async def _quiet(operator: Operator, deadline: float) -> None:
    """Wait until three seconds in a row were quiet."""
    quiet = 0
    while quiet < 3 and time.monotonic() < deadline:
        before = operator.processor_seconds
        await asyncio.sleep(1)
        quiet = quiet + 1 if operator.processor_seconds - before < QUIET else 0


async def _listings(operator: Operator) -> tuple[float, float]:
    """(share of a core between listings, processor seconds of one listing of every kind)."""
    first, began, used = operator.metric("swiftlet_relists_total"), time.monotonic(), operator.processor_seconds
    seconds = []
    while operator.metric("swiftlet_relists_total") < first + LISTINGS * len(WATCHED):
        before = operator.processor_seconds, time.monotonic()
        await asyncio.sleep(1)
        seconds.append((operator.processor_seconds - before[0]) / (time.monotonic() - before[1]))
    idle = statistics.quantiles(seconds, n=4)[0]
    used, passed = operator.processor_seconds - used, time.monotonic() - began
    listed = (operator.metric("swiftlet_relists_total") - first) / len(WATCHED)
    return idle, max(0.0, used - idle * passed) / listed
