"""Where the time went: what each container of each resource took."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.timestamps import from_text
from swiftlet.kinds.observing.observed import JOB_NAME_LABEL, container_statuses

Object = dict[str, Any]

WORDS = {
    "folder": "make its folder",
    "prepare": "prepare data",
    "train": "train",
    "evaluate": "evaluate",
    "serve": "start the server",
}
"""What the containers of our pods do."""


class Interval(NamedTuple):
    """One container at work."""

    group: str
    """The Job, whose pods work side by side, or the pod."""
    container: str
    began: datetime
    ended: datetime


class Span(NamedTuple):
    """Work of one kind for one resource."""

    resource: str
    what: str
    seconds: float


def intervals_of(pods: Iterable[Object], since: datetime, until: datetime) -> list[Interval]:
    """When the containers worked, of those that began in this time; a server's work ends when it is ready."""
    found = []
    for pod in pods:
        group = (pod["metadata"].get("labels") or {}).get(JOB_NAME_LABEL) or pod["metadata"]["name"]
        for status in container_statuses(pod):
            began, ended = _times(pod, status, until)
            if began and ended and began >= since:
                found.append(Interval(group, status["name"], began, max(began, ended)))
    return sorted(found, key=lambda interval: interval.began)


def spans_of(item: Object, intervals: Sequence[Interval]) -> list[Span]:
    """What was done for a resource, in the order in which it began; attempts add up, pods of one attempt do not."""
    groups: dict[tuple[str, str], list[Interval]] = {}
    for interval in intervals:
        groups.setdefault((interval.container, interval.group), []).append(interval)
    sums: dict[str, float] = {}
    for (container, _), members in groups.items():
        sums[container] = sums.get(container, 0.0) + busy_seconds(members)
    name = f"{item['kind'].lower()}/{item['metadata']['name']}"
    return [Span(name, WORDS.get(container, container), taken) for container, taken in sums.items()]


def busy_seconds(intervals: Sequence[Interval]) -> float:
    """Seconds in which at least one of them worked."""
    total, reached = timedelta(), None
    for interval in sorted(intervals, key=lambda interval: interval.began):
        start = interval.began if reached is None else max(interval.began, reached)
        total += max(interval.ended - start, timedelta())
        reached = interval.ended if reached is None else max(reached, interval.ended)
    return total.total_seconds()


def _times(pod: Object, status: Object, until: datetime) -> tuple[datetime | None, datetime | None]:
    state = status.get("state") or {}
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated") or {}
    running = state.get("running") or {}
    began = running.get("startedAt") or ended.get("startedAt")
    if not began:
        return None, None
    if running:
        ready = find_condition(pod, "Ready") or {}
        moment = ready.get("lastTransitionTime") if ready.get("status") == "True" else None
        return from_text(began), from_text(moment) if moment else until
    return from_text(began), from_text(ended["finishedAt"]) if ended.get("finishedAt") else until
