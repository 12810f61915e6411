"""What Kueue says of a Job that it holds. Read where it may be read; nothing of Kueue's is ever written."""

import hashlib
from typing import Any

from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.frame.reading import Reader

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
"""On a Job that Kueue manages: its LocalQueue. A LocalQueue called `default` labels the Jobs of its namespace."""
NAME_LENGTHS = (63, 253)
"""Characters of a Workload's name at most, by Kueue's feature gate ShortWorkloadNames."""

Manifest = dict[str, Any]


def queue_of(job: Manifest) -> str | None:
    """The LocalQueue that a Job is in, or None."""
    return (job["metadata"].get("labels") or {}).get(QUEUE_LABEL)


def held_in_queue(job: Manifest, queue: str, reader: Reader) -> tuple[str, str]:
    """(reason, message) of a Job that Kueue does not let run: with its Workload's words, where it can be read."""
    where = f"Kueue holds Job {job['metadata']['name']} in LocalQueue {queue}"
    workload = _workload(job, reader)
    if workload is None:
        return "Queued", f"{where}; `kubectl describe workloads.kueue.x-k8s.io` tells what it waits for"
    if workload["spec"].get("active") is False:
        name = workload["metadata"]["name"]
        return "Deactivated", f"{where}: its Workload {name} was deactivated; set its spec.active to true to go on"
    evicted, reserved = find_condition(workload, "Evicted"), find_condition(workload, "QuotaReserved")
    said = [_words(evicted, "True"), _words(reserved, "False")]
    message = "; ".join(filter(None, [where, *said]))
    return ("Evicted" if said[0] else "Queued"), message


def _workload(job: Manifest, reader: Reader) -> Manifest | None:
    metadata = job["metadata"]
    for name in workload_names(metadata["name"], metadata["uid"]):
        if found := reader.get("Workload", metadata["namespace"], name):
            return found
    return None


def workload_names(job: str, uid: str) -> list[str]:
    """What a Job's Workload may be called. Source: kueue v0.17.0, pkg/controller/jobframework/workload_names.go."""
    digest = hashlib.sha1("\n".join(("Job", "batch", job, uid)).encode(), usedforsecurity=False).hexdigest()[:5]
    return list(dict.fromkeys(f"{f'job-{job}'[: length - 6]}-{digest}" for length in NAME_LENGTHS))


def _words(condition: Manifest | None, status: str) -> str:
    if condition is None or condition.get("status") != status:
        return ""
    return f"{condition.get('reason')}: {condition.get('message') or ''}"
