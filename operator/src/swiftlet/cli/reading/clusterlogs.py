"""The log lines of a cluster's pods, asked of the API server again and again from where the last answer ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from swiftlet.cli.reading.world import Choice, Line
from swiftlet.cluster.connection import Connection
from swiftlet.cluster.errors import RefusedError
from swiftlet.kinds.observing.observed import container_statuses

Object = dict[str, Any]
Run = tuple[str, str, bool]
"""uid of a pod, a container of it, and whether the run before its last one is meant."""
NOTHING_YET = (400, 404)
"""A container that waits, or had no run before; a pod that is gone."""


@dataclass
class ClusterLogs:
    """Source: Kubernetes API, `GET pods/NAME/log`. `tail` and `since` are about the first answer."""

    connection: Connection
    namespace: str
    tail: int | None = None
    since: datetime | None = None
    read_to: dict[Run, str] = field(default_factory=dict)
    """The time of the last line of each."""
    finished: set[Run] = field(default_factory=set)
    """What had ended before it was read, so that nothing follows."""

    def new_lines(self, pods: Sequence[Object], choice: Choice) -> list[Line]:
        """Complete lines that were written since the last call, ordered by time."""
        found = [line for pod in pods for name, ended in _runs(pod, choice) for line in self._read(pod, name, ended)]
        return sorted(found, key=lambda line: line.time)

    def _read(self, pod: Object, run: tuple[str, bool], ended: bool) -> Iterator[Line]:
        container, previous = run
        key = (pod["metadata"]["uid"], container, previous)
        if key in self.finished:
            return
        if ended:
            self.finished.add(key)
        name, last = pod["metadata"]["name"], self.read_to.get(key, "")
        for record in self._records(name, container, previous, last).splitlines(keepends=True):
            time, _, text = record.partition(" ")
            moment = _in_utc(time)
            # The server takes the time in whole seconds.
            if moment > last and (text.endswith("\n") or ended):
                self.read_to[key] = moment
                yield Line(moment, name, container, text.removesuffix("\n"))

    def _records(self, pod: str, container: str, previous: bool, last: str) -> str:
        query = {"container": container, "timestamps": "true"} | ({"previous": "true"} if previous else {})
        since = last or (self.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if self.since else "")
        query |= {"sinceTime": since} if since else {}
        query |= {"tailLines": str(self.tail)} if self.tail is not None and not last else {}
        try:
            with self.connection.stream("GET", f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log", query) as answer:
                return answer.read().decode(errors="replace")
        except RefusedError as error:
            if error.code in NOTHING_YET:
                return ""
            raise


def _runs(pod: Object, choice: Choice) -> Iterator[tuple[tuple[str, bool], bool]]:
    """The containers that have written, each with whether its last run or the one before is meant, and whether that
    has ended."""
    statuses = [status for status in container_statuses(pod) if choice.container in (None, status["name"])]
    if choice.previous and any(status.get("restartCount") for status in statuses):
        yield from (((status["name"], True), True) for status in statuses if status.get("restartCount"))
        return
    for status in statuses:
        state = status.get("state") or {}
        if "running" in state or "terminated" in state:
            yield (status["name"], False), "terminated" in state


def _in_utc(time: str) -> str:
    """The kubelet writes its node's zone; times are compared as texts."""
    if time.endswith("Z"):
        return time
    return datetime.fromisoformat(time).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
