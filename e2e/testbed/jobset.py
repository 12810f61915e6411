"""JobSet beside a control plane without nodes: upstream's manifests and rights, its program as a process on loopback.

with JobSet(control_plane) as jobset:
    ...  # JobSets of every namespace become Jobs
"""

import json
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from testbed.controlplane import ControlPlane
from testbed.manifests import (
    await_kinds,
    documents,
    for_loopback,
    install,
    kustomized,
    remove_webhooks,
    settings,
    shipped_arguments,
)
from testbed.processes import Command, Process
from testbed.programs import program

Object = dict[str, Any]

NAMESPACE = "jobset-system"
ACCOUNT = "jobset-controller-manager"
MODULE = "sigs.k8s.io/jobset"
CONFIGURATION = "config.jobset.x-k8s.io/v1alpha1"
LEFT_OUT = frozenset({"Deployment", "Secret", "Service"})
"""Kinds of the manifests that only a program in a pod needs."""
WEBHOOKS = frozenset({"mjobset", "vjobset"})
"""Webhooks that stay: of JobSets. Those of pods are for exclusive placement, which nobody here asks for, and would keep
every pod of the cluster from being made when the program is gone."""
CRD = "jobsets.jobset.x-k8s.io"


class JobSet:
    """A running JobSet controller. Use it as a context manager."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._program = program("jobset")
        self._folder = control_plane.bed.folder / "jobset"
        self._webhook, self._health, self._metrics = (control_plane.bed.free_port() for _ in range(3))
        self._installed: list[Object] = []
        self._shipped: list[str] = []
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self._control_plane.authority.server("jobset", ["127.0.0.1"], ["localhost"]).write(self._folder, "tls")
        found = list(documents(kustomized(self._control_plane, "jobset", MODULE, "config", self._folder)))
        self._shipped = shipped_arguments(found)
        self._installed = list(adapted(found, self._webhook, self._control_plane.authority.certificate))
        self.install()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        remove_webhooks(self._control_plane, self._installed)
        self.stop()

    def install(self) -> None:
        """Apply the manifests, and wait until JobSets are served."""
        install(self._control_plane, self._installed)
        await_kinds(self._control_plane)

    def remove_kind(self) -> None:
        """Delete the CRD, and with it every JobSet."""
        self._control_plane.kubectl("delete", "crd", CRD, "--timeout=120s")

    @property
    def pid(self) -> int | None:
        """Process id, once it was started."""
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """End the program. Its webhooks stay, so no JobSet can be made until it is started again."""
        if self._process is not None:
            self._process.stop()

    def start(self) -> None:
        """Start the program, and wait until it is ready."""
        configuration = self._folder / "configuration.json"
        found = settings(CONFIGURATION, self._webhook, self._health, self._metrics, self._folder)
        configuration.write_text(json.dumps(found))
        kubeconfig = self._control_plane.service_account_kubeconfig(NAMESPACE, ACCOUNT)
        run = [str(self._program), f"--config={configuration}", f"--kubeconfig={kubeconfig}", *self._shipped]
        where = self._control_plane.prefix
        self._process = Process(self._control_plane.bed, Command("jobset", run, {}, tuple(where)))
        self._process.wait_ready(f"http://127.0.0.1:{self._health}/readyz", prefix=where)


def adapted(manifests: Iterable[Object], port: int, ca: bytes) -> Iterator[Object]:
    """The manifests for a program on loopback, whose webhooks are called at `port` and trusted by `ca`, a PEM."""
    for item in for_loopback(manifests, LEFT_OUT, port, ca):
        if item["kind"].endswith("WebhookConfiguration"):
            item["webhooks"] = [hook for hook in item["webhooks"] if hook["name"].partition(".")[0] in WEBHOOKS]
        yield item
