"""The one word that says how a pod is. Source: kubectl's printPod (k8s.io/kubernetes/pkg/printers)."""

from typing import Any

Pod = dict[str, Any]


def ready_count(pod: Pod) -> str:
    """Containers that are ready, of all: `1/1`."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return f"{sum(bool(status.get('ready')) for status in statuses)}/{len(pod['spec'].get('containers') or [])}"


def restarts(pod: Pod) -> int:
    """Restarts of all containers."""
    return sum(status.get("restartCount", 0) for status in (pod.get("status") or {}).get("containerStatuses") or [])


def state_word(pod: Pod) -> str:
    """Pending, Init:0/1, Running, Completed, Error, CrashLoopBackOff, Terminating ..."""
    status = pod.get("status") or {}
    if word := _init_word(pod, status):
        return word
    word = status.get("reason") or status.get("phase") or "Pending"
    for container in status.get("containerStatuses") or []:
        state = container.get("state") or {}
        if reason := (state.get("waiting") or {}).get("reason"):
            word = reason
        elif terminated := state.get("terminated"):
            word = terminated.get("reason") or f"ExitCode:{terminated['exitCode']}"
    return "Terminating" if pod["metadata"].get("deletionTimestamp") else word


def _init_word(pod: Pod, status: dict[str, Any]) -> str | None:
    """What the first init container that has not succeeded says; None when all have, or there is none."""
    statuses = status.get("initContainerStatuses") or []
    for index, container in enumerate(statuses):
        state = container.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting") or {}
        if terminated and terminated["exitCode"] == 0:
            continue
        if terminated:
            return f"Init:{terminated.get('reason') or 'ExitCode:' + str(terminated['exitCode'])}"
        if waiting.get("reason") not in (None, "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(pod['spec'].get('initContainers') or statuses)}"
    return None
