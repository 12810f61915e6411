"""Queues of Kueue that would never start a Job."""

from collections.abc import Iterator, Sequence
from typing import Any

from swiftlet.api.validation import nearest
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.observing.kueue import queue_of

Object = dict[str, Any]


def no_queue(item: Object, queues: Sequence[Object]) -> Iterator[str]:
    """A line when the LocalQueue that an object names is not there, or takes nothing."""
    name = queue_of(item)
    if not name:
        return
    found = next((one for one in queues if one["metadata"]["name"] == name), None)
    if found is None:
        names = [one["metadata"]["name"] for one in queues]
        close = nearest(name, names)
        hint = f"did you mean {close}?" if close else f"it has: {', '.join(names)}" if names else "it has none"
        yield f"queue {name}: the namespace has no such LocalQueue; {hint}"
    elif (policy := found["spec"].get("stopPolicy") or "None") != "None":
        yield f"queue {name}: the LocalQueue is stopped (stopPolicy {policy})"
    elif (active := find_condition(found, "Active") or {}).get("status") == "False":
        yield f"queue {name}: the LocalQueue is not active: {active.get('message') or active.get('reason')}"
