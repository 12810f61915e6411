"""The Prometheus operator beside a control plane without nodes: upstream's kinds and rights, its program as a process.

with PrometheusOperator(control_plane):
    ...  # a Prometheus becomes a Secret with its configuration, and a StatefulSet that nobody runs
"""

from types import TracebackType
from typing import Self

from testbed.controlplane import ControlPlane
from testbed.manifests import await_kinds
from testbed.processes import Command, Process
from testbed.programs import program, sources

FAMILY, MODULE = "prometheusoperator", "github.com/prometheus-operator/prometheus-operator"
ACCOUNT = ("default", "prometheus-operator")
"""Namespace and name of its account in upstream's manifests."""
RIGHTS = ("cluster-role", "cluster-role-binding", "service-account")


class PrometheusOperator:
    """A running operator. Use it as a context manager."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._program = program("prometheus-operator")
        self._process: Process | None = None

    def __enter__(self) -> Self:
        examples, kubectl = sources(FAMILY, MODULE) / "example", self._control_plane.kubectl
        kinds = str(examples / "prometheus-operator-crd")
        # The largest do not fit into the annotation of a client-side apply.
        kubectl("apply", "--server-side", "-f", kinds)
        await_kinds(self._control_plane)
        for right in RIGHTS:
            kubectl("apply", "-f", str(examples / f"rbac/prometheus-operator/prometheus-operator-{right}.yaml"))
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop()

    def _start(self) -> None:
        place, where = f"127.0.0.1:{self._control_plane.bed.free_port()}", self._control_plane.prefix
        environment = {"KUBECONFIG": str(self._control_plane.service_account_kubeconfig(*ACCOUNT))}
        run = [str(self._program), f"--web.listen-address={place}", "--kubelet-endpoints=false"]
        command = Command("prometheus-operator", run, environment, tuple(where))
        self._process = Process(self._control_plane.bed, command)
        self._process.wait_ready(f"http://{place}/healthz", prefix=where)
