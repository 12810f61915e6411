"""What pods report while they run: their progress streams, folded into one document for each resource."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from swiftlet.kinds.frame.progress import merge_event
from swiftlet.kinds.frame.reading import OWNER_LABEL
from swiftlet.local.node import Node

FILE_VARIABLE = "SWIFTLET_PROGRESS_FILE"


@dataclass
class _Stream:
    offset: int = 0
    rest: bytes = b""


class ProgressReader:
    """Reads the streams of pods as they grow. After a restart of the engine they are read again from the start."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._streams: dict[tuple[str, Path], _Stream] = {}
        self._merged: dict[str, dict[str, Any]] = {}

    def of(self, uid: str) -> dict[str, Any] | None:
        """What the pods of the resource `uid` have reported."""
        return self._merged.get(uid)

    def read(self, pod: dict[str, Any]) -> str | None:
        """Take up what a pod has reported since the last call; the uid of its resource when that was anything."""
        uid = (pod["metadata"].get("labels") or {}).get(OWNER_LABEL)
        if uid is None:
            return None
        events = list(self._new_events(pod))
        for event in events:
            self._merged[uid] = merge_event(self._merged.get(uid), event)
        return str(uid) if events else None

    def _new_events(self, pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for path in _files(pod, self._node):
            stream = self._streams.setdefault((pod["metadata"]["uid"], path), _Stream())
            with path.open("rb") as source:
                source.seek(stream.offset)
                data = source.read()
            stream.offset += len(data)
            *lines, stream.rest = (stream.rest + data).split(b"\n")
            for line in lines:
                event = _event(line)
                if event is not None:
                    yield event


def _files(pod: dict[str, Any], node: Node) -> set[Path]:
    """The progress streams of a pod that exist; its containers may share one."""
    found = set()
    for container in [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]:
        for variable in container.get("env") or []:
            if variable["name"] == FILE_VARIABLE and variable.get("value"):
                inside = PurePosixPath(variable["value"]).relative_to("/")
                path = node.root(pod, container["name"]) / inside
                if path.is_file():
                    found.add(path.resolve())
    return found


def _event(line: bytes) -> dict[str, Any] | None:
    """A line of a stream; None for one that is no event, which a pod that is killed may leave."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "time" in event else None
