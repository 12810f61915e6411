"""What all pods of this machine share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swiftlet.local.files import StorageError
from swiftlet.local.logs import pod_folder
from swiftlet.local.scheduling import Machine
from swiftlet.local.store import Store
from swiftlet.local.volumes import VolumeHost


@dataclass(frozen=True)
class Node:
    """The machine as a kubelet sees it."""

    state: Path
    store: Store
    machine: Machine
    environ: Mapping[str, str]
    """The engine's own environment."""
    mapped_claims: dict[str, Path] = field(default_factory=dict)
    """Claims that stand for a folder of the machine."""
    backoff_seconds: tuple[float, float] = (2.0, 60.0)
    """First and longest pause before a container is started again; it doubles in between."""
    trouble: Callable[[str], None] = lambda message: None
    """Told what the state folder refused."""

    def folder(self, pod: dict[str, Any]) -> Path:
        """All files of a pod."""
        return pod_folder(self.state, pod["metadata"]["namespace"], pod["metadata"]["name"])

    def root(self, pod: dict[str, Any], container: str) -> Path:
        """What a container sees as `/`: its $SWIFTLET_ROOT."""
        return self.folder(pod) / "roots" / container

    def volume_host(self, pod: dict[str, Any]) -> VolumeHost:
        """Where the pod's volumes lie."""
        namespace = pod["metadata"]["namespace"]
        return VolumeHost(
            pod=pod,
            folder=self.folder(pod),
            claims=self.state / "volumes",
            lookup=lambda kind, name: self.store.get(kind, namespace, name),
            mapped_claims=self.mapped_claims,
        )

    def event(self, about: dict[str, Any], type_: str, reason: str, message: str) -> None:
        """Record an event; a full disk costs the event, never the pod."""
        try:
            self.store.record_event(about, type_, reason, message)
        except StorageError as error:
            self.trouble(str(error))
