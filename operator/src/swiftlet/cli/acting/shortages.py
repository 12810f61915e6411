"""Where a run may need more memory than there is."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from swiftlet.cli.acting.obstacles.pod import pods_of
from swiftlet.cli.acting.planning import PlannedResource
from swiftlet.cli.acting.sizing import Needs
from swiftlet.cli.printing.figures import size
from swiftlet.kinds.finetunejob.plan import Layout

LESS = "lower training.perDeviceBatchSize or template.maxLength, or set training.gradientCheckpointing"


@dataclass(frozen=True)
class Room:
    """Bytes (None: not known) for the processes that share them."""

    whose: str
    bytes: int | None
    processes: Callable[[Layout], int]
    more: str = ""
    """How there would be more, besides needing less."""


def machine_room() -> Room:
    """The memory of this machine, where all processes of a run are."""
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Room("this machine has", there, lambda layout: layout.world_size)


def pod_room(planned: PlannedResource, gpu_memory: int | None) -> Room:
    """The memory of a GPU, which one process has, or what a pod without GPUs is limited to."""
    if planned.resource["spec"]["compute"].get("gpus"):
        return Room("the largest GPU that takes them has", gpu_memory, lambda layout: 1)
    limits = [pod.limits.get("memory") for item in planned.objects if (pod := pods_of(item))]
    limit = int(limits[0]) if limits and limits[0] is not None else None
    more = ", or raise compute.resources.limits.memory"
    return Room("a pod may use", limit, lambda layout: layout.processes_per_node, more)


def shortages(needs: Needs, room: Room) -> list[str]:
    """A line where there is less than what is needed at most."""
    if needs.estimate is None or room.bytes is None:
        return []
    processes = room.processes(needs.layout)
    whole = needs.estimate.memory.total * processes
    if whole <= room.bytes:
        return []
    who = "1 process needs" if processes == 1 else f"{processes} processes need"
    return [f"{who} up to {size(whole)}, {room.whose} {size(room.bytes)}: {LESS}{room.more}"]
