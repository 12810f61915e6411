"""Configuration of a node's programs. Pure functions; every path is one inside the node (`layout`).

Why a setting is there is said beside it; what is not set is the program's default.
"""

import json
from pathlib import Path
from typing import Any

from testbed.nodes import layout
from testbed.nodes.plan import POD_CIDR, NodePlan

PAUSE_IMAGE = "localhost/pause:1"
DNS_DOMAIN = "cluster.local"


def containerd(cni_programs: Path, runc: str) -> str:
    """containerd's config.toml. Source: containerd docs/cri/config.md, version 3."""
    return f"""\
version = 3
root = "{layout.CONTAINERD}"
state = "/run/containerd"
# None of them is used; each costs time at the start.
disabled_plugins = [
  "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.nri.v1.nri",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
]

[grpc]
address = "{layout.CONTAINERD_SOCKET}"

[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"
# Half of the disk: what is unpacked is never needed again.
discard_unpacked_layers = true

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{PAUSE_IMAGE}"

[plugins."io.containerd.cri.v1.runtime"]
# Without CAP_SYS_RESOURCE no process may lower its own score, and every sandbox would fail.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{cni_programs}"]
conf_dir = "{layout.CNI}"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "{runc}"
SystemdCgroup = false
"""


def pod_network(node: NodePlan) -> str:
    """The CNI conflist: a bridge per node, addresses from the node's range, no masquerading.

    Pods keep their addresses everywhere in the bed, so what a server sees is who asked.
    """
    bridge = {
        "type": "bridge",
        "bridge": "pods",
        "isGateway": True,
        "hairpinMode": True,  # a pod may reach itself through its Service
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": str(layout.CNI_STATE),
            "ranges": [[{"subnet": node.pod_cidr}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "backend": "nftables", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge, ports]}, indent=1)


def kubelet(dns: str, cgroup: str) -> str:
    """KubeletConfiguration, as JSON. Source: kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1."""
    document: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{layout.CONTAINERD_SOCKET}",
        "authentication": {"x509": {"clientCAFile": str(layout.CA)}, "anonymous": {"enabled": False}},
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [dns],
        "clusterDomain": DNS_DOMAIN,
        "resolvConf": "",  # nothing of the machine's
        # The machine's own cgroups are its own: each node works below one of its name.
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup,
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "makeIPTablesUtilChains": False,
        # All nodes share one disk, which is not theirs to clean.
        "localStorageCapacityIsolation": False,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "0%", "nodefs.inodesFree": "0%",
                         "imagefs.available": "0%", "imagefs.inodesFree": "0%"},
        "imageGCHighThresholdPercent": 100,
        # A lost node is noticed in seconds (see `cluster.GRACE_SECONDS`), by heartbeats of a quarter of the lease.
        "nodeLeaseDurationSeconds": 8,
        "nodeStatusUpdateFrequency": "4s",
        "nodeStatusReportFrequency": "1m",
    }  # fmt: skip
    return json.dumps(document, indent=1)


def kubelet_arguments(node: NodePlan) -> list[str]:
    """What KubeletConfiguration cannot say."""
    return [
        f"--config={layout.KUBELET_CONFIG}",
        f"--kubeconfig={layout.KUBELET_KUBECONFIG}",
        f"--root-dir={layout.KUBELET}",
        f"--cert-dir={layout.KUBELET / 'pki'}",
        f"--hostname-override={node.name}",
        f"--node-ip={node.address}",
    ]


def kube_proxy_arguments(node: NodePlan) -> list[str]:
    """Arguments of kube-proxy. The limits at 0 are left as they are: a namespace may not write them."""
    return [
        f"--kubeconfig={layout.PROXY_KUBECONFIG}",
        f"--hostname-override={node.name}",
        f"--cluster-cidr={POD_CIDR}",
        "--proxy-mode=nftables",
        "--oom-score-adj=0",
        "--conntrack-max-per-core=0",
        "--conntrack-min=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    ]


def corefile(address: str, kubeconfig: Path) -> str:
    """CoreDNS: the cluster's names; every other one does not exist, for there is no way out.

    No cache: a Service's addresses are right from the moment that the API server has them.
    """
    return f"""\
{DNS_DOMAIN}:53 in-addr.arpa:53 {{
    bind {address}
    errors
    ready {address}:8181
    kubernetes {DNS_DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        ttl 1
    }}
}}
.:53 {{
    bind {address}
    errors
    template ANY ANY . {{
        rcode NXDOMAIN
    }}
}}
"""
