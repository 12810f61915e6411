"""One volume of a pod, at one place."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fetched:
    """What a pod fetches before anything of it runs: `uri`, into the file `path`, or the folder when it ends in /."""

    uri: str
    path: str


@dataclass(frozen=True)
class Mount:
    """One volume, or a folder of it, at one place. `source` is the volume's source as in a Pod (configMap, ...)."""

    name: str
    source: dict[str, Any]
    path: str
    read_only: bool = True
    sub_path: str | None = None
    """Folder of the volume; all of it when absent."""
    fetched: Fetched | None = None
    """What fills the volume, which is the pod's own and empty at first."""

    def volume(self) -> dict[str, Any]:
        return {"name": self.name, **self.source}

    def volume_mount(self) -> dict[str, Any]:
        mount: dict[str, Any] = {"name": self.name, "mountPath": self.path}
        mount |= {"subPath": self.sub_path} if self.sub_path else {}
        return mount | {"readOnly": True} if self.read_only else mount


def claim(name: str, claim_name: str, path: str, read_only: bool = True) -> Mount:
    """A PersistentVolumeClaim at `path`."""
    return Mount(name, {"persistentVolumeClaim": {"claimName": claim_name}}, path, read_only)
