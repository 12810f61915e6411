"""A node: containerd, kubelet and kube-proxy in namespaces of their own."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from testbed.beds import Bed
from testbed.errors import TestBedError
from testbed.nodes import cgroups, configs, layout
from testbed.nodes.namespace import Inside
from testbed.nodes.plan import NodePlan
from testbed.nodes.runtime import Runtime
from testbed.programs import programs
from testbed.system import SEARCH

PROGRAMS = ("kubelet", "kube-proxy")


@dataclass(frozen=True)
class Credentials:
    """Files that a node is given."""

    ca: Path
    kubelet: Path
    """Kubeconfig of user system:node:NAME, group system:nodes."""
    kube_proxy: Path
    """Kubeconfig of user system:kube-proxy."""


class Node(Runtime):
    """A running node. `start` starts containerd, `join` the rest."""

    def __init__(self, bed: Bed, plan: NodePlan, folder: Path) -> None:
        super().__init__(bed, plan.name, folder)
        self.plan = plan
        self._programs |= programs(*PROGRAMS)
        self._cgroup = f"{bed.name}-{plan.name}"
        self._kubelet: Inside | None = None
        self._make_cgroup(bed)

    def join(self, dns: str, credentials: Credentials) -> None:
        """Start kubelet and kube-proxy; kubelet registers the node. `dns` is the DNS server's address."""
        shutil.copy(credentials.ca, self.on_machine(layout.CA))
        shutil.copy(credentials.kubelet, self.on_machine(layout.KUBELET_KUBECONFIG))
        shutil.copy(credentials.kube_proxy, self.on_machine(layout.PROXY_KUBECONFIG))
        self.on_machine(layout.KUBELET_CONFIG).write_text(configs.kubelet(dns, f"/{self._cgroup}"))
        (self.on_machine(layout.CNI) / "pods.conflist").write_text(configs.pod_network(self.plan))
        self._run("kube-proxy", configs.kube_proxy_arguments(self.plan))
        self.start_kubelet()

    def start_kubelet(self) -> None:
        """Start kubelet without waiting. Raises TestBedError when it runs."""
        if self._kubelet is not None and self._kubelet.running:
            raise TestBedError(f"kubelet of {self.name} runs already")
        self._kubelet = self._run("kubelet", configs.kubelet_arguments(self.plan))

    def kill_kubelet(self) -> None:
        """SIGKILL kubelet; the node's containers go on. Raises TestBedError when it does not run."""
        if self._kubelet is None or not self._kubelet.running:
            raise TestBedError(f"kubelet of {self.name} does not run")
        self._kubelet.kill()

    def _run(self, name: str, arguments: list[str]) -> Inside:
        return self.run(name, ["env", f"PATH={SEARCH}", str(self._programs[name]), *arguments])

    def _make_cgroup(self, bed: Bed) -> None:
        folders = cgroups.folders(self._cgroup, Path("/proc/self/mountinfo").read_text())
        bed.undo(*cgroups.removal(folders))
        cgroups.create(folders)
