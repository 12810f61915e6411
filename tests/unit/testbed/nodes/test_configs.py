import json
import tomllib
from pathlib import Path

from testbed.nodes import configs
from testbed.nodes.plan import plan

NODE = plan(7, "link", 2).nodes[1]


def test_containerd_reads_its_config_as_meant() -> None:
    config = tomllib.loads(configs.containerd(Path("/programs"), "/usr/sbin/runc"))
    images = config["plugins"]["io.containerd.cri.v1.images"]
    runtime = config["plugins"]["io.containerd.cri.v1.runtime"]
    assert config["version"] == 3
    assert images["discard_unpacked_layers"] is True
    assert images["pinned_images"]["sandbox"] == configs.PAUSE_IMAGE
    assert runtime["restrict_oom_score_adj"] is True
    assert runtime["cni"]["bin_dirs"] == ["/programs"]
    assert runtime["containerd"]["runtimes"]["runc"]["options"]["BinaryName"] == "/usr/sbin/runc"


def test_pods_get_addresses_of_their_node_and_keep_them() -> None:
    bridge, _ = json.loads(configs.pod_network(NODE))["plugins"]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.2.0/24"}]]
    assert bridge["ipMasq"] is False


def test_kubelet_works_below_the_cgroup_of_its_node() -> None:
    config = json.loads(configs.kubelet("10.223.7.1", "/bed-node-2"))
    assert config["cgroupRoot"] == "/bed-node-2"
    assert config["clusterDNS"] == ["10.223.7.1"]
    assert config["authentication"]["anonymous"] == {"enabled": False}


def test_kubelet_and_proxy_are_of_their_node() -> None:
    assert "--node-ip=10.223.7.12" in configs.kubelet_arguments(NODE)
    for arguments in (configs.kubelet_arguments(NODE), configs.kube_proxy_arguments(NODE)):
        assert "--hostname-override=node-2" in arguments


def test_the_cluster_is_looked_up_before_everything_else_is_denied() -> None:
    cluster, rest = configs.corefile("10.223.7.1", Path("/k")).split("\n.:53 {")
    assert cluster.startswith("cluster.local:53 in-addr.arpa:53 {")
    assert "template" not in cluster
    assert "rcode NXDOMAIN" in rest
    assert all("bind 10.223.7.1" in block for block in (cluster, rest))
