"""One engine per state folder."""

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

LOCK_FILE = "engine.lock"


@dataclass(frozen=True)
class Holder:
    """Who holds a state folder."""

    pid: int
    since: str
    """RFC 3339, UTC."""


class StateLockedError(RuntimeError):
    """Another engine runs on this state folder."""

    def __init__(self, root: Path, holder: Holder | None) -> None:
        self.holder = holder
        who = f"process {holder.pid}, since {holder.since}" if holder else "another process"
        remedy = f"stop it (Ctrl-C there, or kill {holder.pid})" if holder else "stop it"
        super().__init__(f"{root} is in use by {who}: {remedy}, or choose another folder with --state")


class StateLock:
    """Holds a state folder for this process; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stream: TextIO | None = None

    def __enter__(self) -> "StateLock":
        """Raises StateLockedError, naming the holder, when the folder is held."""
        self._root.mkdir(parents=True, exist_ok=True)
        stream = (self._root / LOCK_FILE).open("a+", encoding="utf-8")
        if not _taken(stream):
            stream.close()
            raise StateLockedError(self._root, _written(self._root))
        stream.truncate(0)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        stream.write(json.dumps({"pid": os.getpid(), "since": now}))
        stream.flush()
        self._stream = stream
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.truncate(0)
            self._stream.close()
            self._stream = None


def _taken(stream: TextIO) -> bool:
    """Try for a moment: a command that only asks who holds the folder holds it that long itself."""
    for _ in range(10):
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


def lock_holder(root: Path) -> Holder | None:
    """The process whose engine runs on this state folder, or None when there is none."""
    with suppress(FileNotFoundError), (root / LOCK_FILE).open(encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _written(root)
    return None


def _written(root: Path) -> Holder | None:
    try:
        found = json.loads((root / LOCK_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Holder(found["pid"], found["since"])
