"""The log lines of pods, in the order in which they were written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.statefolder import children_of
from swiftlet.kinds.observing.observed import INDEX_ANNOTATION, JOB_NAME_LABEL, completion_index
from swiftlet.local.logs import LogFile, log_lines, pod_log_files
from swiftlet.local.store import Store

Object = dict[str, Any]


class Line(NamedTuple):
    """One line and where it comes from."""

    time: str
    pod: str
    container: str
    text: str


@dataclass(frozen=True)
class Choice:
    """Which logs are wanted. `container` None: every container. `previous`: the run before the last one."""

    container: str | None = None
    previous: bool = False
    all_pods: bool = False


@dataclass
class Reader:
    """Reads each file from where it stopped."""

    state: Path
    namespace: str
    positions: dict[Path, int] = field(default_factory=dict)

    def new_lines(self, pods: Sequence[Object], choice: Choice) -> list[Line]:
        """Complete lines that were written since the last call, ordered by time."""
        found = [line for pod in pods for log in self._files(pod, choice) for line in self._read(pod, log)]
        return sorted(found, key=lambda line: line.time)

    def _files(self, pod: Object, choice: Choice) -> list[LogFile]:
        files = pod_log_files(self.state, self.namespace, pod["metadata"]["name"])
        newest: dict[str, int] = {}
        for log in files:
            newest[log.container] = max(newest.get(log.container, 0), log.restart)
        wanted = -1 if choice.previous and any(newest.values()) else 0
        if wanted:
            files = [log for log in files if newest[log.container]]
        return [
            log
            for log in files
            if log.restart == newest[log.container] + wanted and choice.container in (None, log.container)
        ]

    def _read(self, pod: Object, log: LogFile) -> Iterator[Line]:
        start = self.positions.get(log.path, 0)
        with log.path.open("rb") as stream:
            stream.seek(start)
            data = stream.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.positions[log.path] = start + len(whole)
        text, time = "", ""
        for line in log_lines(whole.decode(errors="replace").splitlines(keepends=True)):
            time, text = time or line.time, text + line.text
            if text.endswith("\n"):
                yield Line(time, pod["metadata"]["name"], log.container, text[:-1])
                text, time = "", ""
        if text:
            yield Line(time, pod["metadata"]["name"], log.container, text)


def pods_to_read(store: Store, item: Object, choice: Choice) -> list[Object]:
    """The pods whose logs answer: the pod itself, or of a resource the newest attempt's, first pod first.

    With `all_pods` every pod of that attempt. With `previous` the attempt before, unless the newest one's container
    was itself restarted.
    """
    if item["kind"] == "Pod":
        return [item]
    attempts = _attempts([child for child in children_of(store, item) if child["kind"] == "Pod"])
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
