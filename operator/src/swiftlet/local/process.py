"""Processes of containers, each under a parent of its own (`local.podrunner`)."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

RUNNER = Path(__file__).with_name("podrunner.py")
START_ERROR_CODE = 128
"""Exit code of a container whose program could not be executed. Source: containerd, reason StartError."""
LOST_CODE = 137
"""Exit code of a container whose parent vanished. Source: kubelet, reason ContainerStatusUnknown."""


@dataclass(frozen=True)
class ProcessSpec:
    """What to execute."""

    argv: list[str]
    env: dict[str, str]
    cwd: Path
    log: Path | None
    """Where output goes, in the format of `local.logs`; None throws it away."""


@dataclass(frozen=True)
class Exit:
    """How a process ended."""

    code: int
    """128 + n when signal n ended it."""
    signal: int | None = None
    reason: str | None = None
    """Set when it never ran (StartError) or its parent vanished (ContainerStatusUnknown)."""
    message: str = ""


class ContainerProcess:
    """A running process. `await start(...)`, then `await wait()`; `terminate` and `kill` may come at any time."""

    def __init__(self, runner: asyncio.subprocess.Process, said: dict[str, Any]) -> None:
        self._stdin = cast(asyncio.StreamWriter, runner.stdin)
        self.runner_pid = runner.pid
        self.pid: int | None = said.get("pid")
        """The container's first process; None when the program could not be executed."""
        self._exit = asyncio.create_task(_end(runner, said))

    @classmethod
    async def start(cls, spec: ProcessSpec) -> "ContainerProcess":
        """Execute `spec`. A program that cannot be executed is told by `wait`, not raised."""
        if spec.log is not None:
            spec.log.parent.mkdir(parents=True, exist_ok=True)
        runner = await asyncio.create_subprocess_exec(
            *(sys.executable, "-S", "-E", str(RUNNER)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        log = str(spec.log) if spec.log else None
        document = {"argv": spec.argv, "env": spec.env, "cwd": str(spec.cwd), "log": log}
        cast(asyncio.StreamWriter, runner.stdin).write(json.dumps(document).encode() + b"\n")
        try:
            return cls(runner, await _hear(runner))
        except asyncio.CancelledError:
            runner.kill()
            raise

    async def wait(self) -> Exit:
        """How the process ended, after everything that it started was killed and its log was written."""
        return await asyncio.shield(self._exit)

    @property
    def ended(self) -> bool:
        """Whether `wait` returns at once."""
        return self._exit.done()

    def terminate(self) -> None:
        """SIGTERM to the first process of the container, as a kubelet does."""
        self._send(b"T\n")

    def kill(self) -> None:
        """SIGKILL to everything."""
        self._send(b"K\n")

    def _send(self, command: bytes) -> None:
        if not self._exit.done() and not self._stdin.is_closing():
            self._stdin.write(command)


async def _end(runner: asyncio.subprocess.Process, said: dict[str, Any]) -> Exit:
    if "pid" in said:
        said = await _hear(runner)
    await runner.wait()
    if "error" in said:
        return Exit(START_ERROR_CODE, None, "StartError", said["error"])
    if "exit" not in said:
        return Exit(LOST_CODE, None, "ContainerStatusUnknown", "the process that watched the container vanished")
    return Exit(said["exit"], said["signal"])


async def _hear(runner: asyncio.subprocess.Process) -> dict[str, Any]:
    line = await cast(asyncio.StreamReader, runner.stdout).readline()
    said: dict[str, Any] = json.loads(line) if line else {}
    return said
