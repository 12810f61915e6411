"""Labels by which Kueue knows the queue of a Job or Deployment."""

from swiftlet.api.base import Resource
from swiftlet.api.v1alpha1.queue import Queue

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
"""On what Kueue manages: its LocalQueue. A LocalQueue called `default` labels the Jobs of its namespace."""
PRIORITY_LABEL = "kueue.x-k8s.io/priority-class"


def queue_labels(resource: Resource, queue: Queue | None) -> dict[str, str]:
    """As spec.queue says (`queue`); without it, as the resource's own labels do."""
    if queue is None:
        given = resource.metadata.labels
        return {key: given[key] for key in (QUEUE_LABEL, PRIORITY_LABEL) if key in given}
    return {QUEUE_LABEL: queue.name} | ({PRIORITY_LABEL: queue.priority_class} if queue.priority_class else {})
