"""Kubeflow Trainer beside a control plane without nodes: upstream's manifests, rights and settings, its program as a
process on loopback. It makes JobSets, so JobSet is there first.

with JobSet(control_plane), KubeflowTrainer(control_plane) as trainer:
    ...  # TrainJobs of every namespace become JobSets, and these Jobs
"""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from ruamel.yaml import YAML

from testbed.controlplane import ControlPlane
from testbed.manifests import (
    await_kinds,
    built,
    copied,
    documents,
    for_loopback,
    install,
    remove_webhooks,
    shipped_arguments,
)
from testbed.processes import Command, Process
from testbed.programs import program, sources

Object = dict[str, Any]

NAMESPACE = "kubeflow-system"
ACCOUNT = "kubeflow-trainer-controller-manager"
FAMILY, MODULE = "trainer", "github.com/kubeflow/trainer/v2"
OVERLAY: Object = {
    "apiVersion": "kustomize.config.k8s.io/v1beta1",
    "kind": "Kustomization",
    "namespace": NAMESPACE,
    "resources": [
        "namespace.yaml",
        *(f"../../base/{part}" for part in ("crds", "manager", "rbac", "webhook")),
    ],
}
"""What upstream's overlay `manager` is here: without its JobSet, fetched by a URL, and without what its SDK reads."""
LEFT_OUT = frozenset({"Deployment", "Secret", "Service", "ConfigMap"})
"""Kinds of the manifests that only a program in a pod needs."""
SETTINGS = ("kubeflow-trainer-config", "controller_manager_config.yaml")
"""The ConfigMap with the settings that upstream ships, and its key."""
RUNTIME = "torch-distributed"
"""The runtime that the TrainJobs here name."""


class KubeflowTrainer:
    """A running Trainer with one runtime. Use it as a context manager."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._program = program("trainer-controller-manager")
        self._folder = control_plane.bed.folder / "trainer"
        self._webhook, self._health, self._metrics = (control_plane.bed.free_port() for _ in range(3))
        self._installed: list[Object] = []
        self._arguments: list[str] = []
        self._process: Process | None = None

    def __enter__(self) -> Self:
        # It looks for its certificate in the folder for temporary files, and has no setting for that.
        certificates = self._folder / "k8s-webhook-server" / "serving-certs"
        certificates.mkdir(parents=True)
        self._control_plane.authority.server("trainer", ["127.0.0.1"], ["localhost"]).write(certificates, "tls")
        found = self._manifests()
        configuration = self._folder / "configuration.json"
        configured = on_ports(shipped_settings(found), self._webhook, self._health, self._metrics)
        configuration.write_text(json.dumps(configured))
        self._arguments = [f"--config={configuration}", *shipped_arguments(found)]
        ca = self._control_plane.authority.certificate
        self._installed = list(for_loopback(found, LEFT_OUT, self._webhook, ca))
        install(self._control_plane, self._installed)
        await_kinds(self._control_plane)
        self.start()
        runtime = sources(FAMILY, MODULE) / f"manifests/base/runtimes/{RUNTIME.replace('-', '_')}.yaml"
        self._control_plane.kubectl("apply", "-f", str(runtime))  # its webhook looks at it
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        remove_webhooks(self._control_plane, self._installed)
        self.stop()

    @property
    def pid(self) -> int | None:
        """Process id, once it was started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the program, and wait until it is ready."""
        kubeconfig = self._control_plane.service_account_kubeconfig(NAMESPACE, ACCOUNT)
        run = [str(self._program), *self._arguments, f"--kubeconfig={kubeconfig}"]
        where = self._control_plane.prefix
        command = Command("trainer", run, {"TMPDIR": str(self._folder)}, tuple(where))
        self._process = Process(self._control_plane.bed, command)
        self._process.wait_ready(f"http://127.0.0.1:{self._health}/readyz", prefix=where)

    def stop(self) -> None:
        """End the program. Its webhooks stay, so no TrainJob can be made until it is started again."""
        if self._process is not None:
            self._process.stop()

    def _manifests(self) -> list[Object]:
        overlay = copied(FAMILY, MODULE, "manifests", self._folder) / "overlays/manager"
        (overlay / "kustomization.yaml").write_text(json.dumps(OVERLAY))
        return list(documents(built(self._control_plane, overlay)))


def shipped_settings(manifests: list[Object]) -> Object:
    """The settings in upstream's manifests."""
    name, key = SETTINGS
    (found,) = (each for each in manifests if each["kind"] == "ConfigMap" and each["metadata"]["name"] == name)
    return dict(YAML(typ="safe").load(found["data"][key]))


def on_ports(shipped: Mapping[str, Any], webhook: int, health: int, metrics: int) -> Object:
    """Upstream's settings for a program alone on loopback, by ports."""
    changed: dict[str, Object] = {
        "webhook": {"host": "127.0.0.1", "port": webhook},
        "health": {"healthProbeBindAddress": f"127.0.0.1:{health}"},
        "metrics": {"bindAddress": f"127.0.0.1:{metrics}"},
        "leaderElection": {"leaderElect": False},
        "certManagement": {"enable": False},
    }
    return {**shipped, **{part: {**shipped.get(part, {}), **new} for part, new in changed.items()}}
