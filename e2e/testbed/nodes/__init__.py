"""The node tier: namespaces with containerd, kubelet and kube-proxy, as many as a test wants."""

from testbed.nodes.cluster import Cluster
from testbed.nodes.node import Node

__all__ = ["Cluster", "Node"]
