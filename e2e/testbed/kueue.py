"""Kueue beside a control plane without nodes: upstream's manifests and rights, its program as a process on loopback.

    with Kueue(control_plane, selector={"queues": "yes"}):
        control_plane.kubectl("apply", "-f", "-", stdin=...)  # ResourceFlavors, ClusterQueues, LocalQueues

No namespace but those with the labels of `selector` hears of it, so that others go on when it is gone.
"""

import base64
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from testbed.controlplane import ControlPlane
from testbed.processes import Command, Process
from testbed.programs import program, sources

Object = dict[str, Any]

NAMESPACE = "kueue-system"
ACCOUNT = "kueue-controller-manager"
MODULE = "sigs.k8s.io/kueue"
LEFT_OUT = frozenset({"Deployment", "Secret", "APIService"})
"""Kinds of the manifests that only a program in a pod needs. An APIService that nobody serves would keep every
namespace from being deleted."""
WEBHOOKS = frozenset(
    {"mjob", "mclusterqueue", "mresourceflavor", "mworkload"}
    | {"vjob", "vclusterqueue", "vcohort", "vresourceflavor", "vworkload"}
)
"""Webhooks that stay: of Kueue's own kinds and of Jobs."""
CERTIFICATES = "/etc/kueue/metrics/certs"
"""Where Kueue looks for its metrics' certificate when it does not make its own, and ends when there is none."""
OWN_ETC = (
    f'mount -t tmpfs none /etc && mkdir -p {CERTIFICATES} && cp "$0"/tls.crt "$0"/tls.key {CERTIFICATES} && exec "$@"'
)
"""Script: a private /etc with the certificate of folder $0, then the program."""


class Kueue:
    """A running Kueue. Use it as a context manager."""

    def __init__(self, control_plane: ControlPlane, selector: Mapping[str, str]) -> None:
        """selector: labels of the namespaces whose Jobs it may see."""
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
        hooks = [item for item in self._installed if item["kind"].endswith("WebhookConfiguration")]
        for item in hooks:
            self._control_plane.kubectl("delete", item["kind"], item["metadata"]["name"], "--wait=false")
        if self._process is not None:
            self._process.stop()

    def _install(self) -> None:
        self._installed = list(
            adapted(self._manifests(), self._webhook, self._control_plane.authority.certificate, self._selector)
        )
        for items in (items for items in _in_order(self._installed) if items):
            # The largest CRDs do not fit into the annotation of a client-side apply.
            document = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
            self._control_plane.kubectl("apply", "--server-side", "-f", "-", stdin=document)

    def _manifests(self) -> list[Object]:
        """Upstream's manifests, from the module that the program is built from."""
        copied = self._folder / "config"
        shutil.copytree(sources("kueue", MODULE) / "config", copied, copy_function=shutil.copyfile)
        for path in (copied, *copied.rglob("*")):  # modules are read-only
            path.chmod(0o755 if path.is_dir() else 0o644)
        text = self._control_plane.kubectl("kustomize", str(copied / "default")).stdout
        read = ("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-")  # YAML to JSON, nothing else
        return list(documents(self._control_plane.kubectl(*read, stdin=text).stdout))

    def _start(self) -> None:
        configuration = self._folder / "configuration.json"
        configuration.write_text(json.dumps(self._configuration()))
        kubeconfig = self._control_plane.service_account_kubeconfig(NAMESPACE, ACCOUNT)
        private = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c", OWN_ETC]
        run = [str(self._program), f"--config={configuration}", f"--kubeconfig={kubeconfig}"]
        self._process = Process(self._control_plane.bed, Command("kueue", run, {}, (*private, str(self._folder))))
        self._process.wait_ready(f"http://127.0.0.1:{self._health}/readyz")

    def _configuration(self) -> Object:
        return {
            "apiVersion": "config.kueue.x-k8s.io/v1beta2",
            "kind": "Configuration",
            "internalCertManagement": {"enable": False},
            "leaderElection": {"leaderElect": False},
            "webhook": {"host": "127.0.0.1", "port": self._webhook, "certDir": str(self._folder)},
            "health": {"healthProbeBindAddress": f"127.0.0.1:{self._health}"},
            "metrics": {"bindAddress": f"127.0.0.1:{self._metrics}"},
            "featureGates": {"VisibilityOnDemand": False},
            "integrations": {"frameworks": ["batch/job"]},
        }


def adapted(manifests: list[Object], port: int, ca: bytes, selector: Mapping[str, str]) -> Iterator[Object]:
    """The manifests for a program on loopback: webhooks are called at `port` and trusted by `ca`, a PEM."""

    def client(service: Object) -> Object:
        return {"url": f"https://127.0.0.1:{port}{service['path']}", "caBundle": base64.b64encode(ca).decode()}

    for item in manifests:
        if item["kind"] in LEFT_OUT:
            continue
        if item["kind"] == "CustomResourceDefinition" and "conversion" in item["spec"]:
            webhook = item["spec"]["conversion"]["webhook"]
            webhook["clientConfig"] = client(webhook["clientConfig"]["service"])
        if item["kind"].endswith("WebhookConfiguration"):
            item["webhooks"] = [hook for hook in item["webhooks"] if hook["name"].partition(".")[0] in WEBHOOKS]
            for hook in item["webhooks"]:
                hook["clientConfig"] = client(hook["clientConfig"]["service"])
                if hook["name"].partition(".")[0] in ("mjob", "vjob"):
                    hook["namespaceSelector"] = {"matchLabels": dict(selector)}
        yield item


def documents(text: str) -> Iterator[Object]:
    """The objects of JSON documents one after another, with the items of lists."""
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        found, end = decoder.raw_decode(rest)
        yield from found["items"] if found["kind"] == "List" else [found]
        rest = rest[end:].strip()


def _in_order(items: list[Object]) -> tuple[list[Object], list[Object]]:
    """What others need first: namespaces and kinds."""
    first = ("Namespace", "CustomResourceDefinition")
    return [item for item in items if item["kind"] in first], [item for item in items if item["kind"] not in first]
