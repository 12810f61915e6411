"""Processes that an engine left behind when it was killed together with their parents."""

import contextlib
import json
from pathlib import Path

import psutil

from swiftlet.local.files import write_atomically
from swiftlet.local.process import ContainerProcess


def record_process(folder: Path, container: str, process: ContainerProcess) -> None:
    """Write down which processes belong to a container of the pod in `folder`."""
    found = {}
    for pid in (process.runner_pid, process.pid):
        with contextlib.suppress(psutil.Error):
            found[str(pid)] = psutil.Process(pid).create_time()
    with contextlib.suppress(OSError):
        write_atomically(folder / "processes" / f"{container}.json", json.dumps(found).encode())


def end_leftovers(state: Path, seconds: float = 5.0) -> int:
    """Kill what earlier engines on this state folder left running; returns how many processes that were.

    A process counts when its id and its start time are the recorded ones, with everything below it and in its session.
    seconds: how long their end is awaited.
    """
    victims: dict[int, psutil.Process] = {}
    for path in (state / "pods").glob("*/*/processes/*.json"):
        for pid, created in _read(path).items():
            for process in _family(int(pid), created):
                victims[process.pid] = process
    for process in victims.values():
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(list(victims.values()), timeout=seconds)
    return len(victims)


def _read(path: Path) -> dict[str, float]:
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, float] = json.loads(path.read_bytes())
        return found
    return {}


def _family(pid: int, created: float) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created) > 0.05:
            return []
        return [process, *process.children(recursive=True), *_session(pid)]
    except psutil.Error:
        return []


def _session(leader: int) -> list[psutil.Process]:
    members: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError, IndexError, ValueError):
            fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii", errors="replace")
            if int(fields.rpartition(")")[2].split()[3]) == leader:
                members.append(process)
    return members
