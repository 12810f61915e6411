"""What a controller decides about its pods."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Told(NamedTuple):
    """An event about the controlled object."""

    type: str
    reason: str
    message: str


@dataclass
class PodDecision:
    """Pods to create and to delete, the new status, events, and when time alone changes the decision."""

    status: dict[str, Any]
    create: list[dict[str, Any]] = field(default_factory=list)
    delete: list[dict[str, Any]] = field(default_factory=list)
    events: list[Told] = field(default_factory=list)
    requeue_after: float | None = None


def phase(pod: dict[str, Any]) -> str:
    """The phase of a pod; Pending before its first status."""
    return str((pod.get("status") or {}).get("phase", "Pending"))


def is_terminating(pod: dict[str, Any]) -> bool:
    """Whether its deletion was asked for and its processes may still run."""
    return "deletionTimestamp" in pod["metadata"]


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether the pod's Ready condition is true."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
