"""The bed of the benchmarks: a real control plane whose etcd waits for the disk, the operator as a process, and what
both use of the machine."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from testbed.controlplane import ControlPlane
from testbed.controlplane_arguments import Settings
from testbed.operator_process import DEFAULT_PROFILE
from testbed.processes import Command, Process

CRDS = Path(__file__).parents[1] / "crds"
OPERATOR = "benchmark-operator"
"""User name of the operator."""
BARE = "benchmark-bare-client"
"""User name of the client beside it."""
ADMINISTRATORS = ("system:masters",)
WITHOUT_JOB_CONTROLLER = {"kube-controller-manager": ("--controllers=*,-job-controller",)}
"""The controller manager makes 20 requests a second (its default limit). Thousands of Jobs would keep it busy for
minutes, in the middle of whatever is measured next; so where there are thousands their pods are not made."""


def control_plane(with_pods: bool) -> ControlPlane:
    """A control plane, not up yet. with_pods: the Job controller makes pods (which no node takes)."""
    return ControlPlane(Settings(audit=True, durable=True, extra={} if with_pods else WITHOUT_JOB_CONTROLLER))


def install(bed: ControlPlane) -> None:
    """The CRDs."""
    bed.kubectl("apply", "--server-side", "-f", str(CRDS))
    bed.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")


class Operator:
    """`swiftlet operator run`."""

    def __init__(
        self,
        bed: ControlPlane,
        namespace: str | None,
        launcher: tuple[str, ...] = (),
        kubeconfig: Path | None = None,
    ) -> None:
        """namespace: the one that it watches; None for all. launcher: a program of Python and its arguments that run
        the module which follows. kubeconfig: who it is; without one an administrator."""
        self._bed = bed.bed
        self.url, self.progress_url = (f"http://127.0.0.1:{self._bed.free_port()}" for _ in range(2))
        kubeconfig = kubeconfig or bed.client_kubeconfig(OPERATOR, ADMINISTRATORS)
        program = [sys.executable, *(launcher or ("-m",)), "swiftlet.cli.main", "operator", "run"]
        flags = ["--kubeconfig", str(kubeconfig), "--no-leader-election"]
        flags += ["--watch-namespace", namespace] if namespace else []
        ports = {"--metrics-listen": self.url, "--listen": self.progress_url}
        where = [f"{flag}={url.removeprefix('http://')}" for flag, url in ports.items()]
        where += ["--default-profile", str(DEFAULT_PROFILE)]
        self._command = Command(OPERATOR, [*program, *flags, *where], {})

    def start(self) -> None:
        """Start, and wait until everything is listed."""
        self.launch()
        self._process.wait_ready(f"{self.url}/readyz", seconds=120)

    def launch(self) -> None:
        """Start without waiting."""
        self._process = Process(self._bed, self._command)
        self._usage = psutil.Process(self._process.pid)

    def stop(self) -> None:
        """SIGTERM, and wait for its end."""
        self._process.stop(30)

    @property
    def pid(self) -> int:
        """Process id, once it was started."""
        return self._process.pid

    @property
    def memory(self) -> float:
        """Resident memory in MiB."""
        return float(self._usage.memory_info().rss) / 2**20

    @property
    def processor_seconds(self) -> float:
        """Processor time so far."""
        return sum(self._usage.cpu_times()[:2])

    def metric(self, name: str) -> float:
        """Sum of the series of a name; 0 while there is none."""
        lines = httpx.get(f"{self.url}/metrics", timeout=30).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


@dataclass(frozen=True)
class Usage:
    """Processor seconds up to a moment."""

    wall: float
    by_program: dict[str, float]
    """The programs of the bed and this process (`benchmark`)."""
    machine: float
    """All processes of the machine."""

    def since(self, before: "Usage") -> "Usage":
        """What was used in between; programs that came in between count whole."""
        used = {name: seconds - before.by_program.get(name, 0.0) for name, seconds in self.by_program.items()}
        return Usage(self.wall - before.wall, used, self.machine - before.machine)

    @property
    def others(self) -> float:
        """Cores that processes took which are no part of the benchmark."""
        return max(0.0, (self.machine - sum(self.by_program.values())) / self.wall)


def usage(bed: ControlPlane) -> Usage:
    """Usage up to now."""
    found = {"benchmark": sum(psutil.Process().cpu_times()[:2])}
    for process in psutil.process_iter(["name", "cmdline"]):
        if str(bed.bed.folder) in " ".join(process.info["cmdline"] or ()):
            name = process.info["name"]
            name = "operator" if name.startswith("python") else name
            found[name] = found.get(name, 0.0) + sum(process.cpu_times()[:2])
    total = psutil.cpu_times()
    return Usage(time.monotonic(), found, total.user + total.system + total.nice)
