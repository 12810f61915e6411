"""A cluster of real nodes on one machine, without Docker and without a way out.

with Cluster(nodes=2, images=["localhost/swiftlet/operator:0.1.0"]) as cluster:
    cluster.kubectl("get", "nodes")
"""

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from testbed.beds import root
from testbed.controlplane import ControlPlane
from testbed.controlplane_arguments import Settings
from testbed.errors import TestBedError
from testbed.nodes import configs, layout, manifests, stores
from testbed.nodes.namespace import Namespace, ip_batch
from testbed.nodes.node import Credentials, Node
from testbed.nodes.plan import (
    Plan,
    bed_commands,
    cable_commands,
    free_subnet,
    machine_commands,
    node_commands,
    plan,
)  # fmt: skip
from testbed.nodes.runtime import POD_NETWORK_PROGRAMS
from testbed.nodes.stores import Source
from testbed.processes import Command, Process
from testbed.programs import cache_folder, program, programs
from testbed.system import NODE_PROGRAMS, ensure

GRACE_SECONDS = 20
"""How long a node may be silent before it counts as lost. Kubelets speak every 2 s; training loads the machine."""
TOLERATION_SECONDS = 15
"""How long pods stay on a lost node, where they do not say otherwise."""
BED_FILE = "bed"
"""In what nodes keep on disk: the folder of their bed."""
TIMERS: Mapping[str, tuple[str, ...]] = {
    "kube-controller-manager": (f"--node-monitor-grace-period={GRACE_SECONDS}s", "--node-monitor-period=2s"),
    "kube-apiserver": (
        f"--default-not-ready-toleration-seconds={TOLERATION_SECONDS}",
        f"--default-unreachable-toleration-seconds={TOLERATION_SECONDS}",
    ),
}


class Cluster:
    """A control plane with nodes. Use it as a context manager, or call `up` and `down`. Needs root on Linux."""

    def __init__(
        self, nodes: int = 2, *, images: Sequence[Source] = (), name: str | None = None, audit: bool = False
    ) -> None:
        """`images` are on every node from the start: OCI archives, or names in the storage of `testbed.images`.

        Installs and builds what is missing. Raises TestBedError when that cannot be done, or this is not root.
        """
        if os.geteuid() != 0:
            raise TestBedError("nodes need root, for namespaces and cgroups: use sudo, or another cluster")
        ensure(*NODE_PROGRAMS)
        programs("coredns", *POD_NETWORK_PROGRAMS)
        self._images = images
        bed_name = name or f"nodes-{secrets.token_hex(3)}"
        with _choosing_subnet() as subnet:
            self.plan: Plan = plan(subnet, f"sw{secrets.token_hex(5)}", nodes)
            # The link is named before it is there: see `_make_network`.
            network = root() / bed_name / "network"
            prefix = ("nsenter", f"--net={network}", "--")
            settings = Settings(address=self.plan.address, prefix=prefix, audit=audit, extra=TIMERS)
            self.control_plane = ControlPlane(settings, name=bed_name)
            self.bed = self.control_plane.bed
            self._network = self._make_network(network)
        self.nodes: dict[str, Node] = {}
        self.folder = cache_folder() / "nodes" / self.bed.name
        """What the nodes keep on disk."""

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of an administrator, for processes of this machine."""
        return self.control_plane.kubeconfig

    def __enter__(self) -> Self:
        return self.up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.control_plane.keep_logs = self.control_plane.keep_logs or error is not None
        self.down()

    def up(self) -> Self:
        """Start everything and wait until all nodes are Ready. Raises TestBedError with what is not."""
        try:
            remove_orphans(self.folder.parent)
            self.bed.undo("rm", "-rf", str(self.folder))
            self.folder.mkdir(parents=True)
            (self.folder / BED_FILE).write_text(str(self.bed.folder))
            self._make_nodes(stores.template(self._images))
            self.control_plane.up()
            self.apply(*manifests.cluster_objects())
            self._start_dns()
            self._join()
            self._wait_ready()
        except BaseException:
            self.control_plane.keep_logs = True
            self.down()
            raise
        return self

    def down(self) -> None:
        """End every process of the bed; its namespaces, mounts, cgroups and folders go with them."""
        self.control_plane.down()

    def detach(self) -> None:
        """Let the bed outlive this process; `testbed.beds.end` ends it."""
        self.control_plane.detach()

    def kubectl(self, *args: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl as an administrator. Raises TestBedError when it fails and `check` is set."""
        return self.control_plane.kubectl(*args, stdin=stdin, check=check)

    def apply(self, *documents: Mapping[str, Any]) -> None:
        """Apply objects as an administrator."""
        content = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        self.kubectl("apply", "--server-side", "--filename=-", stdin=json.dumps(content))

    def import_image(self, source: Source) -> None:
        """Put an image on every node. Large ones are better given at the start: then they are unpacked once."""
        stores.unpack(source, *self.nodes.values())

    def cut_off(self, node: str) -> None:
        """Unplug a node: it runs on, and nobody hears it."""
        self._network.ip([f"link set {self.nodes[node].plan.link} down"])

    def reconnect(self, node: str) -> None:
        """Plug a node in again."""
        self._network.ip([f"link set {self.nodes[node].plan.link} up"])

    def kill_kubelet(self, node: str) -> None:
        """SIGKILL a node's kubelet; its containers run on."""
        self.nodes[node].kill_kubelet()

    def start_kubelet(self, node: str) -> None:
        """Start a killed kubelet again, without waiting."""
        self.nodes[node].start_kubelet()

    def fake_gpus(self, node: str, count: int) -> None:
        """Have a node offer GPUs, as far as the scheduler and kubelet count them; no container sees one."""
        patch = json.dumps(manifests.gpus(count))
        self.kubectl("patch", "node", node, "--subresource=status", "--type=merge", f"--patch={patch}")

    def add_volume(self, name: str, size: str, folder: Path, claim: tuple[str, str] | None = None) -> None:
        """Make a ReadWriteMany PersistentVolume of class `swiftlet-hostpath` on a folder, which is made if missing.

        `size` is a quantity such as 10Gi; `claim` (namespace, name) keeps it for one claim.
        """
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)  # pods run as users of their own, and kubelet changes no owner on a hostPath
        self.apply(manifests.volume(name, size, folder, claim))

    def on_node(self, node: str, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program of this machine in a node's network, where services and pods can be reached."""
        command = self.nodes[node].namespace.network(*argv)
        return subprocess.run(command, capture_output=True, text=True, check=check)

    def _make_network(self, network: Path) -> Namespace:
        pause = program("pause")
        namespace = Namespace(self.bed, "network", [str(pause)])
        namespace.wait_for(pause)
        network.symlink_to(f"/proc/{namespace.pid}/ns/net")
        namespace.ip(bed_commands(self.plan))
        # Gone by itself when the other end's namespace is.
        ip_batch(machine_commands(self.plan, namespace.pid))
        return namespace

    def _make_nodes(self, store: Path) -> None:
        for node_plan in self.plan.nodes:
            folder = self.folder / node_plan.name
            stores.clone(store, folder / layout.CONTAINERD.name)
            self.nodes[node_plan.name] = Node(self.bed, node_plan, folder)
        self._network.ip(cable_commands(self.plan, [node.namespace.pid for node in self.nodes.values()]))
        for node in self.nodes.values():
            node.namespace.ip(node_commands(self.plan, node.plan))
            node.start()
        for namespace in (self._network, *(node.namespace for node in self.nodes.values())):
            namespace.forward()

    def _start_dns(self) -> None:
        kubeconfig = self.control_plane.client_kubeconfig(manifests.DNS_USER)
        corefile = self.bed.folder / "Corefile"
        corefile.write_text(configs.corefile(self.plan.address, kubeconfig))
        command = Command("coredns", [str(program("coredns")), f"-conf={corefile}"], {}, tuple(self._network.network()))
        process = Process(self.bed, command)
        process.wait_ready(f"http://{self.plan.address}:8181/ready")

    def _join(self) -> None:
        proxy = self.control_plane.client_kubeconfig("system:kube-proxy")
        for node in self.nodes.values():
            user = f"system:node:{node.name}"
            kubelet = self.control_plane.client_kubeconfig(user, ["system:nodes"])
            node.join(self.plan.address, Credentials(self.control_plane.ca, kubelet, proxy))

    def _wait_ready(self, seconds: float = 300) -> None:
        deadline = time.monotonic() + seconds
        while missing := self.nodes.keys() - ready_nodes(json.loads(self.kubectl("get", "nodes", "-o=json").stdout)):
            if time.monotonic() > deadline:
                said = self.kubectl("describe", "nodes", check=False).stdout[-3000:]
                raise TestBedError(f"{', '.join(sorted(missing))} not Ready after {seconds:.0f} s:\n{said}")
            time.sleep(0.3)


def remove_orphans(folder: Path) -> None:
    """Remove what nodes keep on disk in `folder` where their bed is gone: a reboot ends beds and undoes nothing."""
    for file in folder.glob(f"*/{BED_FILE}"):
        if not Path(file.read_text()).exists():
            shutil.rmtree(file.parent, ignore_errors=True)


def ready_nodes(listed: Mapping[str, Any]) -> set[str]:
    """Names of the Ready nodes of a NodeList."""
    ready = {"type": "Ready", "status": "True"}
    return {
        node["metadata"]["name"]
        for node in listed["items"]
        if any(ready.items() <= condition.items() for condition in node["status"].get("conditions", ()))
    }


@contextmanager
def _choosing_subnet() -> Iterator[int]:
    """A subnet of no other bed, which nobody else may choose until this one's link is made."""
    folder = cache_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "subnet.lock").open("w") as file:
        flock(file, LOCK_EX)
        done = subprocess.run(["ip", "-json", "-4", "addr"], capture_output=True, text=True, check=True)
        addresses = [each["local"] for link in json.loads(done.stdout) for each in link.get("addr_info", [])]
        yield free_subnet(addresses, secrets.randbelow(256))
