from pathlib import Path

from testbed.nodes.manifests import STORAGE_CLASS, cluster_objects, gpus, volume


def test_a_volume_is_shared_by_all_nodes_and_outlives_its_claim() -> None:
    spec = volume("data", "10Gi", Path("/data"))["spec"]
    assert "ReadWriteMany" in spec["accessModes"]
    assert spec["storageClassName"] == STORAGE_CLASS
    assert spec["hostPath"] == {"path": "/data", "type": "Directory"}
    assert spec["persistentVolumeReclaimPolicy"] == "Retain"
    assert "claimRef" not in spec


def test_a_volume_can_be_kept_for_one_claim() -> None:
    spec = volume("data", "10Gi", Path("/data"), ("team", "artifacts"))["spec"]
    assert spec["claimRef"] == {"namespace": "team", "name": "artifacts"}


def test_a_gpu_is_there_and_may_be_used() -> None:
    assert gpus(8)["status"] == {"capacity": {"nvidia.com/gpu": "8"}, "allocatable": {"nvidia.com/gpu": "8"}}


def test_the_dns_server_may_only_look() -> None:
    role = next(each for each in cluster_objects() if each["kind"] == "ClusterRole")
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list", "watch"}
