"""Volumes of a pod and where they are mounted."""

from collections.abc import Iterable
from typing import Any

from swiftlet.api.v1alpha1.compute import mebibytes, parse_quantity
from swiftlet.api.v1alpha1.profile_pods import Scratch
from swiftlet.storage.mount import Mount, claim
from swiftlet.wire.documents import ARTIFACTS_ROOT, MODELS_ROOT, OUTPUT_ROOT, RUN_ROOT

SHARED_MEMORY = "8Gi"
"""Size of /dev/shm in a pod without a memory limit, where the kernel would give half of the node's memory."""


def artifacts(claim_name: str, read_only: bool = True) -> Mount:
    """Checkpoints, artifacts and reports of all runs of the namespace."""
    return claim("artifacts", claim_name, ARTIFACTS_ROOT, read_only)


def output(claim_name: str, folder: str) -> Mount:
    """A run's own folder on the artifacts volume."""
    return Mount("artifacts", artifacts(claim_name).source, OUTPUT_ROOT, read_only=False, sub_path=folder)


def models(claim_name: str) -> Mount:
    """The mirror of hf:// models."""
    return claim("models", claim_name, MODELS_ROOT)


def scratch(bounds: Scratch, memory_limit: str | None = None, wanted: int | None = None) -> tuple[Mount, ...]:
    """The writable places of a pod whose root file system is read-only. NCCL and data loaders need more shared memory
    than the 64 MiB that containers get, hence /dev/shm. It counts as the container's memory, so by default it gets
    half of `memory_limit` (a quantity), as a Linux tmpfs gets half of the machine's, and no more than the `wanted` MiB
    where these are known."""
    shared = bounds.shared_memory_size or _shared(memory_limit, wanted)
    return (
        Mount("run", {"emptyDir": {"sizeLimit": bounds.run_size}}, RUN_ROOT, read_only=False),
        Mount("shm", {"emptyDir": {"medium": "Memory", "sizeLimit": shared}}, "/dev/shm", read_only=False),  # noqa: S108
        Mount("tmp", {"emptyDir": {"sizeLimit": bounds.tmp_size}}, "/tmp", read_only=False),  # noqa: S108
    )


def _shared(memory_limit: str | None, wanted: int | None) -> str:
    if memory_limit is None:
        return SHARED_MEMORY if wanted is None else mebibytes(wanted)
    half = max(1, int(parse_quantity(memory_limit)) >> 21)
    return mebibytes(half if wanted is None else min(half, wanted))


def distinct(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """Each place once. A volume may be mounted in several: all of it here, a folder of it there."""
    return tuple({mount.path: mount for mount in mounts}.values())


def volumes(mounts: Iterable[Mount]) -> list[dict[str, Any]]:
    """The volumes behind the mounts, each once."""
    return list({mount.name: mount.volume() for mount in mounts}.values())
