"""Beds: one folder of state each, so that a bed can be found and ended by another process than the one that made it.

What belongs to a bed is known by three things in or about its folder:

- every process carries `SWIFTLET_TESTBED=<folder>` in its environment, and so do its children, from the moment they
  exist: no record can be lost between a start and a crash, and no reused pid is ever mistaken for ours;
- `undo/` holds commands that take back what is no process (namespaces, mounts, cgroups);
- `owner.json` says which process made it. A bed whose owner is gone is ended by its guard at once, or by the next bed
  that starts. A detached bed has no owner: only `end` ends it.

Standard library only: the guard imports this file and nothing else.
"""

import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "SWIFTLET_TESTBED"
PORTS = range(20000, 32000)
"""Below Linux' default range for outgoing connections, which would take a port while its server restarts."""
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)
"""What /proc and kill say of a process that ended in between, or that is another user's: none of ours."""


def root() -> Path:
    """The folder of this user's beds."""
    path = Path(tempfile.gettempdir(), f"swiftlet-testbed-{os.getuid()}")
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to somebody else: remove it, or set TMPDIR to a folder of yours")
    return path


@contextmanager
def locked() -> Iterator[None]:
    """Beds are made and found abandoned by one process at a time."""
    with (root() / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Bed:
    """A bed's folder."""

    folder: Path

    @classmethod
    def create(cls, name: str | None = None) -> "Bed":
        """Make the folder of a new bed that this process owns, after ending those whose owner is gone.

        Raises FileExistsError when a living bed has that name; without one a free name is found.
        """
        with locked():
            for folder in abandoned():
                end(folder)
            folder = Path(tempfile.mkdtemp(prefix="bed-", dir=root())) if name is None else root() / name
            folder.mkdir(mode=0o700, exist_ok=name is None)
            bed = cls(folder)
            _write(folder / "owner.json", {"pid": os.getpid(), "started": start_time(os.getpid())})
        for part in ("logs", "processes", "undo"):
            (folder / part).mkdir()
        return bed

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def logs(self) -> Path:
        """Folder of one log file per process."""
        return self.folder / "logs"

    def environment(self) -> dict[str, str]:
        """What marks a process, and its children, as part of this bed."""
        return {MARK: str(self.folder)}

    def record(self, name: str, pid: int, argv: Sequence[str]) -> None:
        """Note a started process, for `status`."""
        _write(self.folder / "processes" / f"{name}.json", {"pid": pid, "started": start_time(pid), "argv": [*argv]})

    def undo(self, *argv: str) -> None:
        """Note a command that `end` runs after the processes are gone, last noted first. Note it before doing what it
        takes back; it may fail when there is nothing to take back."""
        folder = self.folder / "undo"
        _write(folder / f"{len(list(folder.iterdir())):04}.json", [*argv])

    def free_port(self) -> int:
        """A loopback TCP port that nothing listens on and no bed has been given. Raises RuntimeError without one."""
        with locked():
            taken = {port for file in root().glob("*/ports.json") for port in _read(file)}
            ports = random.sample(PORTS, len(PORTS))
            port = next((port for port in ports if port not in taken and _is_free(port)), None)
            if port is None:
                raise RuntimeError(f"no free port in {PORTS}: end other beds, or what listens on 127.0.0.1 there")
            file = self.folder / "ports.json"
            _write(file, [*(_read(file) if file.exists() else []), port])
        return port

    def detach(self) -> None:
        """Let the bed outlive this process."""
        _write(self.folder / "owner.json", None)

    def end(self) -> None:
        """End everything of the bed and remove its folder."""
        end(self.folder)

    def owner(self) -> dict[str, int] | None:
        """The process that made it; None when detached; one that never was when it was killed before saying so."""
        file = self.folder / "owner.json"
        return _read(file) if file.exists() else {"pid": 0, "started": 0}

    def is_owned(self) -> bool:
        """Whether a living process has it."""
        owner = self.owner()
        return owner is not None and is_alive(owner)

    def processes(self) -> dict[str, int | None]:
        """Recorded processes by name: pid, or None when it no longer runs."""
        records = {path.stem: _read(path) for path in sorted((self.folder / "processes").glob("*.json"))}
        return {name: each["pid"] if is_alive(each) else None for name, each in records.items()}


def beds() -> list[Bed]:
    """Every bed of this user."""
    return [Bed(path) for path in sorted(root().iterdir()) if path.is_dir()]


def abandoned() -> list[Path]:
    """Folders of beds whose owner is gone. Call it under the lock: a folder without owner is then no newborn's."""
    return [bed.folder for bed in beds() if bed.owner() is not None and not bed.is_owned()]


def end(folder: Path, seconds: float = 2) -> None:
    """End every process of a bed (SIGTERM, after `seconds` SIGKILL), run its undo commands, remove its folder."""
    signal_all(folder, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while marked(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    # What is being killed may have had children since: until none is found.
    deadline = time.monotonic() + 30
    while left := marked(folder):
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {left} of bed {folder} survive SIGKILL: they hang in the kernel (see dmesg)")
        signal_all(folder, signal.SIGKILL)
        time.sleep(0.02)
    for file in sorted((folder / "undo").glob("*.json"), reverse=True):
        with suppress(*GONE):  # a program that is not there has done nothing that needs undoing
            subprocess.run(_read(file), check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)


def signal_all(folder: Path, number: signal.Signals) -> None:
    """Send a signal to every process of a bed."""
    for pid in marked(folder):
        with suppress(*GONE):
            os.kill(pid, number)


def marked(folder: Path) -> list[int]:
    """Living processes that carry a bed's mark, but this one."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(*GONE):
            # A zombie has no environment left: it counts as gone.
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when it is gone or a zombie. Source: proc(5), stat."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def is_alive(record: dict[str, int]) -> bool:
    """Whether the process of a record still runs: its pid, and not another process that got the pid later."""
    return record["started"] is not None and start_time(record["pid"]) == record["started"]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections still linger can be listened on.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _write(path: Path, content: object) -> None:
    """Write JSON that another process finds whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content))
    partial.replace(path)


def _read(path: Path) -> Any:
    return json.loads(path.read_text())
