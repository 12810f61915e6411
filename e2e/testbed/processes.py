"""Programs that belong to a bed: started with a log file, waited for until they are ready, stopped by pid."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.beds import Bed
from testbed.errors import TestBedError
from testbed.probe import ask


@dataclass(frozen=True)
class Command:
    """What to run."""

    name: str
    """Also names the log file."""
    argv: Sequence[str]
    environment: Mapping[str, str]
    """Set on top of this process's environment."""
    prefix: Sequence[str] = ()
    """Program and arguments that execute `argv` elsewhere and become it, such as `nsenter --net=/run/netns/x`."""


class Process:
    """One running program of a bed. It also ends with the bed, whatever becomes of this object."""

    def __init__(self, bed: Bed, command: Command) -> None:
        self.name = command.name
        self.log = bed.logs / f"{command.name}.log"
        """Both outputs, appended to over restarts."""
        argv = [*command.prefix, *command.argv]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **command.environment, **bed.environment()},
                cwd=bed.folder,
                start_new_session=True,  # a Ctrl-C at the terminal is for the owner, which stops things in order
            )
        bed.record(command.name, self.pid, argv)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.ended_with is None

    @property
    def ended_with(self) -> int | None:
        """Exit code, or minus the signal's number; None while it runs."""
        return self._process.poll()

    def stop(self, seconds: float = 20) -> None:
        """SIGTERM, and SIGKILL when it has not ended after `seconds`. No harm when it has ended already."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self._process.kill()
        self._process.wait()

    def wait_ready(self, url: str, ca: Path | None = None, seconds: float = 120, prefix: Sequence[str] = ()) -> None:
        """Wait until `url` answers 200. `ca` is a PEM file for https; `prefix` as the process's own.

        Raises TestBedError with the end of the log when the process ends first or `seconds` pass.
        """
        deadline = time.monotonic() + seconds
        answer = ""
        while time.monotonic() < deadline:
            if not self.running:
                raise TestBedError(f"{self.name} ended with code {self.ended_with}:\n{self._last_lines()}")
            answer = ask(url, ca, prefix)
            if not answer:
                return
            time.sleep(0.05)
        raise TestBedError(f"{self.name} is not ready after {seconds:.0f} s ({answer}):\n{self._last_lines()}")

    def _last_lines(self, count: int = 15) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-count:]
        return "\n".join([*lines, f"(log: {self.log})"])
