"""The log lines of local pods, in the order in which they were written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swiftlet.cli.reading.world import Choice, Line
from swiftlet.local.logs import LogFile, log_lines, pod_log_files

Object = dict[str, Any]


@dataclass
class LogFiles:
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
