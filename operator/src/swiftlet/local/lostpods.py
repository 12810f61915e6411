"""Pods whose engine ended while they ran, and their processes with it."""

from typing import Any

from swiftlet.local.podstatus import stamp, with_times

RESTARTED = {
    "phase": "Failed",
    "reason": "EngineRestarted",
    "message": "the engine ended while the pod ran, and its processes ended with it",
}
LOST_CONTAINER = {
    "exitCode": 137,
    "reason": "ContainerStatusUnknown",
    "message": "the container could not be located when the engine started again",
}
"""Source: kubelet, a container that is gone from the runtime."""


def lost_status(pod: dict[str, Any]) -> dict[str, Any]:
    """The status that is true of such a pod; nobody has written it yet."""
    status = dict(pod["status"])
    for name in ("initContainerStatuses", "containerStatuses"):
        status[name] = [_lost_container(container) for container in status.get(name) or []]
    kept = [c for c in status.get("conditions") or [] if c["type"] not in ("Ready", "ContainersReady")]
    unready = [{"type": type_, "status": "False", "reason": "PodFailed"} for type_ in ("ContainersReady", "Ready")]
    disrupted = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": RESTARTED["reason"],
        "message": RESTARTED["message"],
    }
    conditions = with_times([*kept, *unready, disrupted], pod["status"].get("conditions") or [])
    return {**status, "conditions": conditions, **RESTARTED}


def _lost_container(container: dict[str, Any]) -> dict[str, Any]:
    """A container's status when its process is gone with the engine."""
    if "running" not in container["state"]:
        return container
    terminated = {**LOST_CONTAINER, "startedAt": container["state"]["running"]["startedAt"], "finishedAt": stamp()}
    return {**container, "state": {"terminated": terminated}, "ready": False, "started": False}
