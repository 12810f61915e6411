"""Pods that were taken away: by whom, when, and whether it was for what they used."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.timestamps import from_text, to_text

EVICTED = "Evicted"
"""The kubelet ended the pod because it used more disk or memory than it had set aside, or than its limit."""
DISRUPTED = "Disrupted"
"""The cluster took the pod away: preemption, drain, a lost node, a node that shut down or could not take it."""
POD_DELETED = "PodDeleted"
"""Somebody deleted the pod."""

OWN_USE = (
    "has larger consumption of",
    "exceeded its local ephemeral storage limit",
    "exceeds the total limit of containers",
    "Usage of EmptyDir volume",
)
"""What the kubelet says of a pod that it evicts for its own use; of a victim of node pressure it says none of these.
Source: Kubernetes, pkg/kubelet/eviction."""

NODE_REASONS = frozenset(
    {
        *("NodeAffinity", "NodeLost", "NodeShutdown", "Preempting", "Shutdown", "Terminated", "Evicted"),
        *("TopologyAffinityError", "UnexpectedAdmissionError"),
    }
)
"""`status.reason` of pods that the kubelet ended or did not take, besides `OutOf` and a resource's name."""

SET_ASIDE = (
    "set aside what the run needs in compute.resources.requests (ephemeral-storage, memory), or raise the limit that it"
    " went over"
)


@dataclass(frozen=True)
class Taking:
    """Why a pod was taken away. at: RFC 3339, when it was asked for; empty when nobody says."""

    reason: str
    message: str
    at: str = ""

    def explains(self, finished_at: str) -> bool:
        """Whether it came before the end of a container; one that had ended by itself was not taken away."""
        return not self.at or not finished_at or self.at <= finished_at


def is_disrupted(pod: dict[str, Any]) -> bool:
    """Whether the API server or the node says that the cluster took the pod away."""
    return (find_condition(pod, "DisruptionTarget") or {}).get("status") == "True"


def taking_of(pod: dict[str, Any]) -> Taking | None:
    """Why the pod was taken away, or None for one that was left alone."""
    status = pod.get("status") or {}
    said, reason = status.get("message") or "", status.get("reason") or ""
    condition = find_condition(pod, "DisruptionTarget") or {}
    if reason == EVICTED and any(sign in said for sign in OWN_USE):
        return Taking(EVICTED, f"{said.strip()} {SET_ASIDE}")
    if is_disrupted(pod):
        return Taking(DISRUPTED, said or condition.get("message") or "", condition.get("lastTransitionTime") or "")
    if status.get("phase") == "Failed" and (reason in NODE_REASONS or reason.startswith("OutOf")):
        return Taking(DISRUPTED, f"{reason}: {said}" if said else reason)
    if pod["metadata"].get("deletionTimestamp"):
        return Taking(POD_DELETED, "the pod was deleted", _asked_at(pod["metadata"]))
    return None


def _asked_at(metadata: dict[str, Any]) -> str:
    """When deletion was asked for: deletionTimestamp is the end of the grace period."""
    grace = timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0)
    return to_text(from_text(metadata["deletionTimestamp"]) - grace)
