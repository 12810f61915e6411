"""Volumes of a pod and where they are mounted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from swiftlet.api.compute import mebibytes, parse_quantity
from swiftlet.api.job import ARTIFACTS_ROOT, MODELS_ROOT, RUN_ROOT


@dataclass(frozen=True)
class Mount:
    """One volume at one place. `source` is the volume's source as in a Pod (persistentVolumeClaim, configMap, ...)."""

    name: str
    source: dict[str, Any]
    path: str
    read_only: bool = True

    def volume(self) -> dict[str, Any]:
        return {"name": self.name, **self.source}

    def volume_mount(self) -> dict[str, Any]:
        mount: dict[str, Any] = {"name": self.name, "mountPath": self.path}
        return mount | {"readOnly": True} if self.read_only else mount


def claim(name: str, claim_name: str, path: str, read_only: bool = True) -> Mount:
    """A PersistentVolumeClaim at `path`."""
    return Mount(name, {"persistentVolumeClaim": {"claimName": claim_name}}, path, read_only)


def artifacts(claim_name: str, read_only: bool = False) -> Mount:
    """Checkpoints, artifacts and reports."""
    return claim("artifacts", claim_name, ARTIFACTS_ROOT, read_only)


def models(claim_name: str) -> Mount:
    """The mirror of hf:// models."""
    return claim("models", claim_name, MODELS_ROOT)


def scratch(memory_limit: str | None = None) -> tuple[Mount, ...]:
    """The writable places of a pod whose root file system is read-only. NCCL and data loaders need more shared memory
    than the 64 MiB that containers get, hence /dev/shm. It counts as the container's memory, so it gets at most half
    of `memory_limit` (a quantity), as a Linux tmpfs by default gets half of the machine's."""
    shared: dict[str, Any] = {"medium": "Memory"}
    if memory_limit is not None:
        shared["sizeLimit"] = mebibytes(max(1, int(parse_quantity(memory_limit)) >> 21))
    return (
        Mount("run", {"emptyDir": {}}, RUN_ROOT, read_only=False),
        Mount("shm", {"emptyDir": shared}, "/dev/shm", read_only=False),  # noqa: S108
        Mount("tmp", {"emptyDir": {}}, "/tmp", read_only=False),  # noqa: S108
    )


def distinct(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """Each volume once; a writable mount wins over a read-only one of the same name."""
    chosen: dict[str, Mount] = {}
    for mount in mounts:
        if mount.name not in chosen or (chosen[mount.name].read_only and not mount.read_only):
            chosen[mount.name] = mount
    return tuple(chosen.values())
