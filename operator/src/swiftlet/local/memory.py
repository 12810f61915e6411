"""Memory of a container's processes, and who was killed for it."""

from pathlib import Path

import psutil


def used_bytes(root_pid: int) -> int:
    """Resident memory of the processes below `root_pid` that no file backs, in bytes.

    Pages that processes share, such as a mapped model file, are left out, as a container's limit can reclaim them.
    """
    total = 0
    try:
        below = psutil.Process(root_pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return 0
    for process in below:
        try:
            memory = process.memory_info()
        except psutil.Error:
            continue
        total += max(0, memory.rss - memory.shared)
    return total


def oom_kills() -> int:
    """How many processes the kernel has killed on this machine because memory ran out."""
    for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return int(count)
    return 0
