"""The QuotaReserved condition of a server: in a queue of Kueue each of its pods waits for quota of its own."""

from collections.abc import Sequence
from typing import Any

from swiftlet.api.v1alpha1.queue import Queue
from swiftlet.kinds.conditions.condition import State
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.observing.kueue import QUOTA_RESERVED, held_in_queue, is_managed, queue_of, waits_for_quota

NO_PODS = "NoPods"

Manifest = dict[str, Any]


def quota_reserved(
    wanted: Queue | None, child: Manifest | None, pods: Sequence[Manifest], reader: Reader
) -> State | None:
    """QuotaReserved: Kueue has quota for every pod. None where neither `wanted` (spec.queue), nor a label of the
    Deployment (`child`), names a queue."""
    queue = (child and queue_of(child)) or (wanted and wanted.name)
    if not queue:
        return None
    if not pods:
        return State(QUOTA_RESERVED, "False", NO_PODS, "no pod asks for quota")
    if waiting := [pod for pod in pods if waits_for_quota(pod)]:
        reason, message = held_in_queue(waiting[0], queue, reader)
        return State(QUOTA_RESERVED, "False", reason, f"{len(waiting)} of {len(pods)} pods wait: {message}")
    if not all(is_managed(pod) for pod in pods):
        message = (
            f"LocalQueue {queue} is named, and pods run without Kueue: it is not installed, or does not manage"
            " Deployments of this namespace"
        )
        return State(QUOTA_RESERVED, "Unknown", "NotManaged", message)
    return State(QUOTA_RESERVED, "True", "Admitted", f"{len(pods)} pods were admitted from LocalQueue {queue}")


def queued(quota: State | None) -> tuple[str, str] | None:
    """(reason, message) of what the queue holds back, or None."""
    held = quota is not None and quota.status == "False" and quota.reason != NO_PODS
    return (quota.reason, quota.message) if quota and held else None
