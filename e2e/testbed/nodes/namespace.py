"""Namespaces held open by one small process: when it ends, all their processes, links and mounts end with it."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from testbed.beds import Bed
from testbed.errors import TestBedError
from testbed.processes import Command, Process


class Namespace:
    """A network namespace with its own mounts and process ids."""

    def __init__(self, bed: Bed, name: str, argv: Sequence[str]) -> None:
        """Start `argv` as its first process. The kernel kills every other process in it when that one ends."""
        kinds = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--propagation=private", "--mount-proc"]
        self._bed = bed
        self._holder = Process(bed, Command(name, ["unshare", *kinds, "--", *argv], {}))
        self.pid = child_of(self._holder)
        """Its first process, as the machine numbers it."""

    def end(self) -> None:
        """Kill everything in it."""
        self._holder.kill()

    def network(self, *argv: str) -> list[str]:
        """Command that runs `argv` in the network alone, seeing the machine's mounts and processes."""
        return ["nsenter", f"--target={self.pid}", "--net", "--", *argv]

    def inside(self, *argv: str) -> list[str]:
        """Command that runs `argv` in all the namespaces."""
        return ["nsenter", f"--target={self.pid}", "--net", "--mount", "--pid", "--", *argv]

    def ip(self, commands: Sequence[str]) -> None:
        """Run commands of `ip` in the network. Raises TestBedError with the one that failed."""
        ip_batch(commands, self.network())

    def forward(self) -> None:
        """Let it pass packets on, and filter those of its bridges as it filters routed ones, which kube-proxy needs."""
        script = "echo 1 >/proc/sys/net/ipv4/ip_forward && echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables"
        done = subprocess.run(self.network("sh", "-c", script), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise TestBedError(
                f"{done.stderr.strip()}: pods need the kernel module br_netfilter (`modprobe br_netfilter`)"
            )

    def wait_for(self, program: Path, seconds: float = 60) -> None:
        """Wait until the first process has become `program`. Raises TestBedError when it ends or `seconds` pass."""
        deadline = time.monotonic() + seconds
        while not _became(self.pid, program):
            if not self._holder.running or time.monotonic() > deadline:
                said = self._holder.log.read_text(errors="replace").strip()
                raise TestBedError(f"namespace {self._holder.name} could not be made: {said or 'no answer'}")
            time.sleep(0.005)


class Inside(Process):
    """A program in a namespace: signals reach it, and not only the `nsenter` that waits for it."""

    def __init__(self, bed: Bed, name: str, namespace: Namespace, argv: Sequence[str]) -> None:
        super().__init__(bed, Command(name, argv, {}, tuple(namespace.inside())))
        self._inner = child_of(self)

    def stop(self, seconds: float = 20) -> None:
        """SIGTERM, and SIGKILL when it has not ended after `seconds`."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        # While nsenter has not been waited for, its child is at most a zombie: the pid is no other process's.
        if self.running:
            os.kill(self._inner, number)


def child_of(process: Process, seconds: float = 60) -> int:
    """The one child of a process that forks once. Raises TestBedError when it ends without one."""
    deadline = time.monotonic() + seconds
    file = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.running and time.monotonic() < deadline:
        if children := file.read_text().split():
            return int(children[0])
        time.sleep(0.002)
    raise TestBedError(f"{process.name} did not start: {process.log.read_text(errors='replace').strip()[-1000:]}")


def ip_batch(commands: Sequence[str], prefix: Sequence[str] = ()) -> None:
    """Run commands of `ip`. Raises TestBedError with what failed."""
    argv = [*prefix, "ip", "-batch", "-"]
    done = subprocess.run(argv, input="\n".join(commands) + "\n", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise TestBedError(f"ip failed: {done.stderr.strip()}; the commands were: {'; '.join(commands)}")


def _became(pid: int, program: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/exe").readlink() == program
    except (FileNotFoundError, ProcessLookupError):
        return False
