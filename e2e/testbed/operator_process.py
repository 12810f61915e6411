"""The operator as a process beside a test bed: `swiftlet operator run`, killed and started again as a test wants."""

import sys
import time
from pathlib import Path

from testbed.controlplane import ControlPlane
from testbed.processes import Command, Process

DEFAULT_PROFILE = Path(__file__).with_name("default_profile.yaml")
"""The profile of resources that name none."""


class OperatorProcess:
    """`swiftlet operator run` for one namespace. It ends with the bed, whatever becomes of this object."""

    def __init__(self, control_plane: ControlPlane, kubeconfig: Path, namespace: str, *flags: str) -> None:
        """flags: more options; without any it is alone and needs no Lease."""
        self._bed = control_plane.bed
        self.flags = flags
        self.port = self._bed.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        """For progress."""
        metrics_port = self._bed.free_port()
        self.metrics_url = f"http://127.0.0.1:{metrics_port}"
        """For metrics and health."""
        run = [sys.executable, "-m", "swiftlet.cli.main", "operator", "run", "--kubeconfig", str(kubeconfig)]
        here = ["--watch-namespace", namespace, "--listen", f"127.0.0.1:{self.port}"]
        here += ["--metrics-listen", f"127.0.0.1:{metrics_port}"]
        here += ["--default-profile", str(DEFAULT_PROFILE)]
        self._command = Command(
            f"operator-{namespace}-{self.port}", [*run, *here, *(flags or ("--no-leader-election",))], {}
        )
        self._process: Process | None = None

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.running

    @property
    def exit_code(self) -> int | None:
        """As of a process: minus the number of the signal that ended it; None while it runs."""
        return self._process.ended_with if self._process else None

    @property
    def log(self) -> str:
        """Everything that it has said, over restarts."""
        return self._process.log.read_text(errors="replace") if self._process else ""

    def start(self) -> None:
        """Start it, and return at once."""
        self._process = Process(self._bed, self._command)

    def wait_ready(self, seconds: float = 180) -> None:
        """Wait until everything is listed. Raises TestBedError with the log when it ends before."""
        if self._process is not None:
            self._process.wait_ready(f"{self.metrics_url}/readyz", seconds=seconds)

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        if self._process is not None:
            self._process.kill()

    def wait_ended(self, seconds: float) -> None:
        """Wait until it has ended by itself. Raises TimeoutError when it has not."""
        deadline = time.monotonic() + seconds
        while self.running:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the operator still runs after {seconds:.0f} s")
            time.sleep(0.05)

    def stop(self) -> None:
        """SIGTERM, and wait for its end."""
        if self._process is not None and self._process.running:
            self._process.stop(60)
