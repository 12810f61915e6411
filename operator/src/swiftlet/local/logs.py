"""Logs of local pods: one file per container and restart, in the format that kubelets write.

Each line is `2026-01-31T12:00:00.000000000Z stdout F text`; tag P marks a line that goes on in the next record.
Source: Kubernetes, CRI logging format.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple


class LogFile(NamedTuple):
    """Output of one run of a container."""

    container: str
    restart: int
    path: Path


class LogLine(NamedTuple):
    """One record."""

    time: str
    """RFC 3339, UTC, nanoseconds."""
    stream: str
    """stdout or stderr."""
    text: str
    """With its line end, unless the line goes on in the next record."""


def pod_folder(state: Path, namespace: str, pod: str) -> Path:
    """All files of a pod: its logs, its volumes and its containers' roots."""
    return state / "pods" / namespace / pod


def log_path(state: Path, namespace: str, pod: str, container: str, restart: int) -> Path:
    """Where the output of one run of a container is written."""
    return pod_folder(state, namespace, pod) / "logs" / container / f"{restart}.log"


def pod_log_files(state: Path, namespace: str, pod: str) -> list[LogFile]:
    """Logs of a pod in the order in which the runs began."""
    found = [
        LogFile(path.parent.name, int(path.stem), path)
        for path in (pod_folder(state, namespace, pod) / "logs").glob("*/*.log")
    ]
    return sorted(found, key=lambda log: (_began(log.path), log.container, log.restart))


def parse_line(record: str) -> LogLine:
    """One line of a log file."""
    time, stream, tag, text = (*record.rstrip("\n").split(" ", 3), "")[:4]
    return LogLine(time, stream, text if tag == "P" else text + "\n")


def log_lines(records: Iterable[str]) -> Iterator[LogLine]:
    """The records of an open log file."""
    return (parse_line(record) for record in records if record.endswith("\n"))


def tail(path: Path, lines: int, max_bytes: int) -> str:
    """The last output of a log file as plain text: at most `lines` lines and `max_bytes` bytes of it."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 4 * max_bytes - 65536))
        records = stream.read().decode(errors="replace").splitlines(keepends=True)
    text = "".join(line.text for line in log_lines(records[1:] if size > 4 * max_bytes + 65536 else records))
    kept = "".join(text.splitlines(keepends=True)[-lines:])
    return kept.encode()[-max_bytes:].decode(errors="ignore")


def _began(path: Path) -> str:
    """The log file's first line carries the time; an empty one sorts by its own time of change."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        first = stream.readline()
    return first.split(" ", 1)[0] if first else f"~{path.stat().st_mtime:020.6f}"
