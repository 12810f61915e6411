"""KubeRay beside a control plane without nodes: upstream's manifests and rights, its program as a process on loopback.

with KubeRay(control_plane):
    ...  # RayClusters of every namespace become pods and a Service
"""

from types import TracebackType
from typing import Any, Self

from testbed.controlplane import ControlPlane
from testbed.manifests import await_kinds, documents, install, kustomized, shipped_arguments
from testbed.processes import Command, Process
from testbed.programs import program

Object = dict[str, Any]

NAMESPACE, ACCOUNT = "default", "kuberay-operator"
FAMILY, MODULE = "kuberay", "github.com/ray-project/kuberay/ray-operator"
LEFT_OUT = frozenset({"Deployment", "Service"})
"""Kinds of the manifests that only a program in a pod needs. Webhooks are none of the default ones."""


class KubeRay:
    """A running KubeRay operator. Use it as a context manager."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._program = program("ray-operator")
        self._folder = control_plane.bed.folder / "kuberay"
        self._health, self._metrics = (control_plane.bed.free_port() for _ in range(2))
        self._shipped: list[str] = []
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir()
        found = list(documents(kustomized(self._control_plane, FAMILY, MODULE, "config", self._folder)))
        self._shipped = shipped_arguments(found)
        install(self._control_plane, [item for item in found if item["kind"] not in LEFT_OUT])
        await_kinds(self._control_plane)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Process id, once it was started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the program, and wait until it is ready. A pod of upstream's may use a tenth of a core; here it may
        use what there is."""
        kubeconfig = self._control_plane.service_account_kubeconfig(NAMESPACE, ACCOUNT)
        places = {"health-probe-bind-address": self._health, "metrics-addr": self._metrics}
        flags = [f"--{flag}=127.0.0.1:{port}" for flag, port in places.items()]
        flags += ["--enable-leader-election=false", f"--kubeconfig={kubeconfig}", *self._shipped]
        where = self._control_plane.prefix
        command = Command("kuberay", [str(self._program), *flags], {}, tuple(where))
        self._process = Process(self._control_plane.bed, command)
        self._process.wait_ready(f"http://127.0.0.1:{self._health}/readyz", prefix=where)

    def stop(self) -> None:
        """End the program; what it made stays."""
        if self._process is not None:
            self._process.stop()
