"""Whose logs answer a question."""

from collections.abc import Sequence
from typing import Any

from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.finding import children_of
from swiftlet.cli.reading.world import Choice, World
from swiftlet.kinds.observing.observed import INDEX_ANNOTATION, JOB_NAME_LABEL, completion_index

Object = dict[str, Any]


def pods_to_read(world: World, item: Object, choice: Choice) -> list[Object]:
    """The pods whose logs answer: the pod itself, or of a resource the newest attempt's, first pod first.

    With `all_pods` every pod of that attempt. With `previous` the attempt before, unless the newest one's container
    was itself restarted.
    """
    if item["kind"] == "Pod":
        return [item]
    attempts = _attempts([child for child in children_of(world, item) if child["kind"] == "Pod"])
    if not attempts:
        return []
    chosen = attempts[-1]
    if choice.previous and not any(_restarted(pod) for pod in chosen):
        if len(attempts) < 2:
            raise CommandError(f"{item['kind']} {item['metadata']['name']} has no run before the last one")
        chosen = attempts[-2]
    return chosen if choice.all_pods else chosen[:1]


def check_container(pods: Sequence[Object], container: str | None) -> None:
    """Raise CommandError when no pod has a container of that name."""
    names = dict.fromkeys(
        entry["name"]
        for pod in pods
        for entry in [*(pod["spec"].get("initContainers") or []), *(pod["spec"].get("containers") or [])]
    )
    if container and pods and container not in names:
        raise CommandError(f"there is no container {container!r}; the pod has {', '.join(names)}")


def _attempts(pods: list[Object]) -> list[list[Object]]:
    """Pods that worked together, oldest first: those of one Indexed Job, else each pod alone."""
    groups: dict[str, list[Object]] = {}
    for pod in sorted(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp", ""), completion_index(pod))):
        metadata = pod["metadata"]
        indexed = INDEX_ANNOTATION in (metadata.get("annotations") or {})
        job = (metadata.get("labels") or {}).get(JOB_NAME_LABEL) if indexed else None
        groups.setdefault(job or metadata["name"], []).append(pod)
    return [sorted(group, key=completion_index) for group in groups.values()]


def _restarted(pod: Object) -> bool:
    return any(status.get("restartCount") for status in (pod.get("status") or {}).get("containerStatuses") or [])
