"""Kueue beside a control plane: upstream's manifests and rights, its program as a process on the API server's loopback.

    with Kueue(control_plane, selector={"queues": "yes"}):
        control_plane.kubectl("apply", "-f", "-", stdin=...)  # ResourceFlavors, ClusterQueues, LocalQueues

No namespace but those with the labels of `selector` hears of it, so that others go on when it is gone.
"""

import json
import os
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from testbed.controlplane import ControlPlane
from testbed.manifests import documents, install, kustomized, on_loopback, remove_webhooks, settings
from testbed.processes import Command, Process
from testbed.programs import program

Object = dict[str, Any]

NAMESPACE = "kueue-system"
ACCOUNT = "kueue-controller-manager"
MODULE = "sigs.k8s.io/kueue"
CONFIGURATION = "config.kueue.x-k8s.io/v1beta2"
LEFT_OUT = frozenset({"Deployment", "Secret", "APIService"})
"""Kinds of the manifests that only a program in a pod needs. An APIService that nobody serves would keep every
namespace from being deleted."""
FRAMEWORKS = {"batch/job": "job", "jobset.x-k8s.io/jobset": "jobset", "deployment": "deployment", "pod": "pod"}
"""What Kueue manages, as its configuration calls it, and how its webhooks of these do."""
OF_WORK = frozenset(f"{step}{name}" for step in "mv" for name in FRAMEWORKS.values())
WEBHOOKS = OF_WORK | frozenset(
    {"mclusterqueue", "mresourceflavor", "mworkload"} | {"vclusterqueue", "vcohort", "vresourceflavor", "vworkload"}
)
"""Webhooks that stay: of Kueue's own kinds and of these."""
CERTIFICATES = "/etc/kueue/metrics/certs"
"""Where Kueue looks for its metrics' certificate when it does not make its own, and ends when there is none."""
OWN_ETC = (
    f'mount -t tmpfs none /etc && mkdir -p {CERTIFICATES} && cp "$0"/tls.crt "$0"/tls.key {CERTIFICATES} && exec "$@"'
)
"""Script: a private /etc with the certificate of folder $0, then the program."""


class Kueue:
    """A running Kueue. Use it as a context manager."""

    def __init__(self, control_plane: ControlPlane, selector: Mapping[str, str]) -> None:
        """selector: labels of the namespaces whose Jobs, Deployments and pods it may see."""
        self._control_plane, self._selector = control_plane, dict(selector)
        self._program = program("kueue")
        self._folder = control_plane.bed.folder / "kueue"
        self._webhook, self._health, self._metrics = (control_plane.bed.free_port() for _ in range(3))
        self._installed: list[Object] = []
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self._control_plane.authority.server("kueue", ["127.0.0.1"], ["localhost"]).write(self._folder, "tls")
        self._install()
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the program; without its webhooks Jobs can be made again."""
        remove_webhooks(self._control_plane, self._installed)
        if self._process is not None:
            self._process.stop()

    def _install(self) -> None:
        found = list(documents(kustomized(self._control_plane, "kueue", MODULE, "config", self._folder)))
        self._installed = list(adapted(found, self._webhook, self._control_plane.authority.certificate, self._selector))
        install(self._control_plane, self._installed)

    def _start(self) -> None:
        configuration = self._folder / "configuration.json"
        configuration.write_text(json.dumps(self._configuration()))
        kubeconfig = self._control_plane.service_account_kubeconfig(NAMESPACE, ACCOUNT)
        where = self._control_plane.prefix
        private = [
            *where,
            "unshare",
            "--mount",
            *([] if os.geteuid() == 0 else ["--map-root-user"]),
            "sh",
            "-c",
            OWN_ETC,
        ]
        run = [str(self._program), f"--config={configuration}", f"--kubeconfig={kubeconfig}"]
        self._process = Process(self._control_plane.bed, Command("kueue", run, {}, (*private, str(self._folder))))
        self._process.wait_ready(f"http://127.0.0.1:{self._health}/readyz", prefix=where)

    def _configuration(self) -> Object:
        return {
            **settings(CONFIGURATION, self._webhook, self._health, self._metrics, self._folder),
            "featureGates": {"VisibilityOnDemand": False},
            "integrations": {"frameworks": list(FRAMEWORKS)},
        }


def adapted(manifests: list[Object], port: int, ca: bytes, selector: Mapping[str, str]) -> Iterator[Object]:
    """The manifests for a program on loopback: webhooks are called at `port` and trusted by `ca`, a PEM."""
    for item in manifests:
        if item["kind"] in LEFT_OUT:
            continue
        if item["kind"] == "CustomResourceDefinition" and "conversion" in item["spec"]:
            webhook = item["spec"]["conversion"]["webhook"]
            webhook["clientConfig"] = on_loopback(webhook["clientConfig"]["service"], port, ca)
        if item["kind"].endswith("WebhookConfiguration"):
            item["webhooks"] = [hook for hook in item["webhooks"] if hook["name"].partition(".")[0] in WEBHOOKS]
            for hook in item["webhooks"]:
                hook["clientConfig"] = on_loopback(hook["clientConfig"]["service"], port, ca)
                if hook["name"].partition(".")[0] in OF_WORK:
                    hook["namespaceSelector"] = {"matchLabels": dict(selector)}
        yield item
