"""Reading Jobs and Pods as Kubernetes writes them."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from swiftlet.kinds.conditions.condition import find_condition, has_condition
from swiftlet.kinds.observing.unschedulable import unschedulable
from swiftlet.kinds.owning.owners import owned_by

JOB_NAME_LABEL = "batch.kubernetes.io/job-name"
"""For showing pods in groups; what a pod belongs to, its controller reference says."""
INDEX_ANNOTATION = "batch.kubernetes.io/job-completion-index"

JobState = Literal["Active", "Complete", "Failed"]

BAD_WAITS = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""Reasons of a waiting container that somebody has to do something about. Source: kubelet, images and containers."""

NODE_LOST = "NodeLost"

UNSEEN_SECONDS = 30
"""How long the end of a pod may be seen after the end of its Job, which the same watches tell."""

REMEDIES = {
    "ErrImagePull": "check images of the ComputeProfile and the registry's credentials",
    "ImagePullBackOff": "check images of the ComputeProfile and the registry's credentials",
    "CreateContainerConfigError": "create the Secret or ConfigMap that it names",
    NODE_LOST: "look at the node; Kubernetes replaces the pod where its toleration of unreachable nodes ends",
}


def job_state(job: dict[str, Any]) -> JobState:
    """Whether a Job has ended. FailureTarget and SuccessCriteriaMet only announce an end: its pods may still run."""
    if has_condition(job, "Complete"):
        return "Complete"
    return "Failed" if has_condition(job, "Failed") else "Active"


def is_suspended(job: dict[str, Any]) -> bool:
    """Whether the Job is suspended and the last of its pods is gone."""
    status = job.get("status") or {}
    return has_condition(job, "Suspended") and not status.get("active") and not status.get("terminating")


def ended_at(job: dict[str, Any]) -> str | None:
    """When a finished Job ended, RFC 3339."""
    failed = find_condition(job, "Failed")
    if failed and failed["status"] == "True":
        return failed.get("lastTransitionTime")
    return (job.get("status") or {}).get("completionTime")


def is_being_deleted(manifest: dict[str, Any]) -> bool:
    """Whether deletion was asked for."""
    return bool(manifest["metadata"].get("deletionTimestamp"))


def of_kind(children: Iterable[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The children of one kind, by name."""
    return sorted((child for child in children if child["kind"] == kind), key=lambda child: child["metadata"]["name"])


def pods_of(children: Iterable[dict[str, Any]], job: dict[str, Any]) -> list[dict[str, Any]]:
    """The pods that one Job controls."""
    return [pod for pod in of_kind(children, "Pod") if owned_by(pod, job["metadata"]["uid"])]


def completion_index(pod: dict[str, Any]) -> int:
    """Which pod of an Indexed Job it is; the last of all where the annotation is no number, which anybody may write."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX_ANNOTATION, "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else sys.maxsize


def container_statuses(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Statuses of init containers, then of containers."""
    status = pod.get("status") or {}
    yield from status.get("initContainerStatuses") or []
    yield from status.get("containerStatuses") or []


def running_container(pod: dict[str, Any]) -> str | None:
    """Name of the container that runs now; the init container first."""
    return next(
        (status["name"] for status in container_statuses(pod) if "running" in (status.get("state") or {})), None
    )


def stopped(pods: Sequence[dict[str, Any]]) -> str | None:
    """Why no pod is at work: the machine or the cluster took them away, and none has replaced them yet; else None.

    What kept them from work before that is told first, since it will again; of a crash the failure says more.
    """
    left = [pod for pod in pods if not is_being_deleted(pod)]
    if any((pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed") for pod in left):
        return None
    disruptions = [find_condition(pod, "DisruptionTarget") or {} for pod in left]
    why = next((found.get("message") or "disrupted" for found in disruptions if found.get("status") == "True"), None)
    before = _stuck(left, {}) if why else None
    return f"{before[0]}: {before[1]}; then {why}" if before and before[0] != "CrashLoopBackOff" else why


def lost_node(pod: dict[str, Any]) -> tuple[str, str] | None:
    """(reason, message) when nothing is heard from the pod's node: whether the pod still works cannot be known.

    The node lifecycle controller then takes away the pod's Ready alone. A kubelet, the only other writer, never leaves
    Ready False beside ContainersReady True, since our pods have no readiness gates: no right to read nodes is needed.
    """
    if has_condition(pod, "Ready", "False") and has_condition(pod, "ContainersReady"):
        return NODE_LOST, f"nothing is heard from its node {pod['spec']['nodeName']}"
    return None


def obstacle(pods: Sequence[dict[str, Any]], unbound: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """(reason, message) of what keeps the pods from work: they were stopped, or the first one that cannot start.

    unbound: claims without a volume (`kinds.claims`), in words, by name. The remedy is told where one is known.
    """
    if message := stopped(pods):
        return "Stopped", message
    return _stuck(pods, unbound or {})


def _stuck(pods: Iterable[dict[str, Any]], unbound: Mapping[str, str]) -> tuple[str, str] | None:
    for pod in pods:
        found = unschedulable(pod, unbound) or lost_node(pod) or _bad_wait(pod)
        if found:
            reason, message = found
            remedy = REMEDIES.get(reason)
            return reason, f"pod {pod['metadata']['name']}: {message}" + (f"; {remedy}" if remedy else "")
    return None


def _bad_wait(pod: dict[str, Any]) -> tuple[str, str] | None:
    for status in container_statuses(pod):
        waiting = (status.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in BAD_WAITS:
            detail = waiting.get("message") or waiting["reason"]
            return waiting["reason"], f"container {status['name']}: {detail}"
    return None
