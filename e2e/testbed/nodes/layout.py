"""Where things are inside a node. Each node's namespace has a /run of its own, so the same paths serve every node."""

from pathlib import Path

NODE = Path("/run/node")
"""The node's folder on the machine's disk."""
CONTAINERD = NODE / "containerd"
CONTAINERD_CONFIG = NODE / "containerd.toml"
CONTAINERD_SOCKET = Path("/run/containerd/containerd.sock")
CNI = NODE / "cni"
CNI_STATE = Path("/run/cni")
KUBELET = NODE / "kubelet"
KUBELET_CONFIG = NODE / "kubelet.json"
KUBELET_KUBECONFIG = NODE / "kubelet.kubeconfig"
PROXY_KUBECONFIG = NODE / "kube-proxy.kubeconfig"
CA = NODE / "ca.crt"
LOGS = NODE / "log"
"""Seen at /var/log, where kubelet writes the pods' logs."""
KUBELET_FIXED = NODE / "kubelet-fixed"
"""Seen at /var/lib/kubelet, where kubelet has the socket of its device plugins whatever --root-dir says."""

SETUP = f"""\
set -eu
mount -t tmpfs -o mode=755 tmpfs /run
mkdir {NODE}
mount --bind "$1" {NODE}
mount --bind {LOGS} /var/log
mkdir -p {KUBELET_FIXED} /var/lib/kubelet
mount --bind {KUBELET_FIXED} /var/lib/kubelet
mount --make-rshared /
exec "$2"
"""
"""Shell script that turns a fresh mount namespace into a node's. Arguments: the node's folder, the program to become.

Nothing of it is seen outside but an empty /var/lib/kubelet, which a mount needs, and all of it is gone with the
namespace's last process. Shared mounts, as kubelet's mount propagation needs them, are shared inside only, since the
namespace was made private before.
"""
