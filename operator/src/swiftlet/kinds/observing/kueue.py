"""What Kueue says of a Job or a pod that it holds. Read where it may be read; nothing of Kueue's is ever written."""

import hashlib
from typing import Any

from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.owning.queue_labels import PRIORITY_LABEL, QUEUE_LABEL

PODSET_LABEL = "kueue.x-k8s.io/podset"
"""On the pod template of a Job that Kueue has admitted, until it takes the admission back."""
CLUSTER_QUEUE_LABEL = "kueue.x-k8s.io/cluster-queue-name"
"""Beside it, unless the feature gate AssignQueueLabelsForPods is off: whose quota it is."""
MANAGED_LABEL = "kueue.x-k8s.io/managed"
"""On a pod that Kueue manages by itself, as those of Deployments are."""
GATE = "kueue.x-k8s.io/admission"
"""Scheduling gate of such a pod until it is admitted."""
NAME_LENGTHS = (63, 253)
"""Characters of a Workload's name at most, by Kueue's feature gate ShortWorkloadNames."""
QUOTA_RESERVED = "QuotaReserved"
"""The condition, theirs and ours."""
UNUSABLE = "Inadmissible"
"""Reason of QuotaReserved, theirs and ours: the queue is not there, or is stopped."""
EVICTIONS = ("Preempted",)
"""Reasons of Evicted that are reasons here too; any other is told as `Evicted`, with the reason in the message."""

Manifest = dict[str, Any]


def queue_of(child: Manifest) -> str | None:
    """The LocalQueue that a Job or Deployment is in, or None."""
    return (child["metadata"].get("labels") or {}).get(QUEUE_LABEL)


def held_in_queue(held: Manifest, queue: str, reader: Reader) -> tuple[str, str]:
    """(reason, message) of a Job or pod that Kueue does not let run: with its Workload's words, where these are there
    and can be read."""
    where = f"Kueue holds {held['kind']} {held['metadata']['name']} in LocalQueue {queue}"
    workload = _workload(held, reader)
    if workload is None:
        return "Queued", f"{where}; {_where_to_look(held)}"
    evicted, reserved = find_condition(workload, "Evicted"), find_condition(workload, QUOTA_RESERVED)
    said = [_words(evicted, "True"), _words(reserved, "False")]
    message = "; ".join(filter(None, [where, *said]))
    if workload["spec"].get("active") is False:
        name = workload["metadata"]["name"]
        return "Deactivated", f"{message}; its Workload {name} was deactivated: set its spec.active to true to go on"
    if said[1] and reserved and reserved.get("reason") == UNUSABLE:
        remedy = "`kubectl get localqueues` lists those of the namespace: have it made or started, or name another"
        return UNUSABLE, f"{message}; {remedy}"
    if said[0] and evicted:
        return (evicted["reason"] if evicted.get("reason") in EVICTIONS else "Evicted"), message
    return "Queued", message


def waits_for_quota(pod: Manifest) -> bool:
    """Whether a pod may not be scheduled until Kueue has quota for it."""
    return any(gate["name"] == GATE for gate in (pod.get("spec") or {}).get("schedulingGates") or ())


def is_managed(pod: Manifest) -> bool:
    """Whether a pod was made under Kueue's eyes."""
    return (pod["metadata"].get("labels") or {}).get(MANAGED_LABEL) == "true"


def admitted_to(job: Manifest) -> str | None:
    """The ClusterQueue that an admitted Job uses quota of (empty where Kueue does not say); None: not admitted."""
    template = job["spec"].get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    return labels.get(CLUSTER_QUEUE_LABEL, "") if PODSET_LABEL in labels else None


def _where_to_look(held: Manifest) -> str:
    """Kueue makes no Workload where the priority class is not there, and says so to nobody but its log."""
    look = "`kubectl describe workloads.kueue.x-k8s.io` tells what it waits for"
    priority = (held["metadata"].get("labels") or {}).get(PRIORITY_LABEL)
    if not priority:
        return look
    return f"{look}; where that lists nothing, WorkloadPriorityClass {priority} may not be there: name another"


def _workload(held: Manifest, reader: Reader) -> Manifest | None:
    metadata = held["metadata"]
    group = held["apiVersion"].rpartition("/")[0]
    for name in workload_names(held["kind"], group, metadata["name"], metadata["uid"]):
        if found := reader.get("Workload", metadata["namespace"], name):
            return found
    return None


def workload_names(kind: str, group: str, name: str, uid: str) -> list[str]:
    """What an object's Workload may be called. Source: kueue v0.17.0, pkg/controller/jobframework/workload_names.go."""
    digest = hashlib.sha1("\n".join((kind, group, name, uid)).encode(), usedforsecurity=False).hexdigest()[:5]
    prefix = f"{kind.lower()}-{name}"
    return list(dict.fromkeys(f"{prefix[: length - 6]}-{digest}" for length in NAME_LENGTHS))


def _words(condition: Manifest | None, status: str) -> str:
    if condition is None or condition.get("status") != status:
        return ""
    return f"{condition.get('reason')}: {condition.get('message') or ''}"
