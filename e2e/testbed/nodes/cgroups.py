"""One cgroup per node, below which kubelet and runc put its pods. Both versions of cgroups."""

from pathlib import Path

from testbed.errors import TestBedError

ROOT = Path("/sys/fs/cgroup")
NEEDED = ("cpu", "memory", "pids")


def folders(name: str, mountinfo: str) -> list[Path]:
    """Folders of the top-level cgroup `name`: one for version 2, one per controller for version 1.

    `mountinfo` is the text of /proc/self/mountinfo. Raises TestBedError when no cgroups are mounted.
    """
    found = set()
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        place, kind = Path(before.split()[4]), after.split()[0]
        if place == ROOT and kind == "cgroup2":
            return [ROOT / name]
        if place.parent == ROOT and kind == "cgroup":
            found.add(place / name)
    if not found:
        raise TestBedError(f"no cgroups are mounted under {ROOT}: nodes need them to limit their pods")
    return sorted(found)


def create(paths: list[Path]) -> None:
    """Make a node's cgroup, with the controllers that pods are limited by."""
    for path in paths:
        path.mkdir(exist_ok=True)
        enabled = path / "cgroup.subtree_control"
        if enabled.exists():  # version 2: controllers are handed down level by level
            for level in (path.parent, path):
                (level / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in NEEDED))


def removal(paths: list[Path]) -> list[str]:
    """Command that removes a node's cgroups once their processes are gone, the innermost first."""
    return ["find", *map(str, paths), "-depth", "-type", "d", "-delete"]
