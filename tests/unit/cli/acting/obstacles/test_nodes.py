"""Nodes against two pods that ask for 1 GPU and 10 cores each."""

from typing import Any

import pytest
from swiftlet.cli.acting.obstacles.nodes import largest_gpu, no_room
from swiftlet.cli.acting.obstacles.pod import Pod, pods_of

Object = dict[str, Any]
TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}


def node(name: str, gpus: int = 1, cpu: str = "16", **more: Any) -> Object:
    allocatable = {"cpu": cpu, "memory": "64Gi", "nvidia.com/gpu": str(gpus)}
    return {
        "metadata": {"name": name, "labels": more.pop("labels", {})},
        "spec": more,
        "status": {"allocatable": allocatable},
    }


def pods(**spec: Any) -> Pod:
    resources = {"requests": {"cpu": "10"}, "limits": {"nvidia.com/gpu": "1"}}
    spec = {"containers": [{"name": "train", "resources": resources}], **spec}
    found = pods_of({"kind": "Job", "spec": {"parallelism": 2, "template": {"spec": spec}}})
    assert found is not None
    return found


@pytest.mark.parametrize("nodes", [[node("a"), node("b")], [node("a", 2, "20")], [node("a", 8, "100"), node("b", 0)]])
def test_there_is_room(nodes: list[Object]) -> None:
    assert list(no_room(nodes, pods())) == []


@pytest.mark.parametrize(
    ("nodes", "line"),
    [
        ([node("a"), node("b", 0)], "1 of 2 pods (nvidia.com/gpu 1, cpu 10 each) fit on the 2 of 2 nodes that take"
         " them"),
        ([node("a", 2)], "1 of 2 pods (nvidia.com/gpu 1, cpu 10 each) fit on the 1 of 1 nodes that take them"),
        ([node("a", 8, "8")], "0 of 2 pods (nvidia.com/gpu 1, cpu 10 each) fit on the 1 of 1 nodes that take them: the"
         " largest has cpu 8"),
        ([], "none of 0 takes the pods"),
        ([node("a", unschedulable=True)], "none of 1 takes the pods: 1 cordoned"),
        ([node("a", taints=[TAINT]), node("b", taints=[TAINT])], "none of 2 takes the pods: 2 with the taint"
         " nvidia.com/gpu=present:NoSchedule, which the ComputeProfile does not tolerate"),
    ],
)  # fmt: skip
def test_there_is_no_room(nodes: list[Object], line: str) -> None:
    assert list(no_room(nodes, pods())) == [f"nodes: {line}"]


@pytest.mark.parametrize(
    ("toleration", "takes"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "nvidia.com/gpu", "operator": "Exists"}, True),
        ({"key": "nvidia.com/gpu", "value": "present"}, True),
        ({"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}, True),
        ({"key": "nvidia.com/gpu", "value": "absent"}, False),
        ({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "lab", "operator": "Exists"}, False),
    ],
)
def test_taints_are_tolerated(toleration: Object, takes: bool) -> None:
    nodes = [node("a", taints=[TAINT]), node("b", taints=[TAINT])]
    assert (list(no_room(nodes, pods(tolerations=[toleration]))) == []) == takes


def test_taints_that_only_prefer_take_all() -> None:
    assert list(no_room([node("a", 2, "20", taints=[{**TAINT, "effect": "PreferNoSchedule"}])], pods())) == []


def test_labels_are_selected() -> None:
    wanted = pods(nodeSelector={"zone": "a"})
    assert list(no_room([node("a", 2, "20", labels={"zone": "a"}), node("b")], wanted)) == []
    (found,) = no_room([node("b", 2, "20", labels={"zone": "b"})], wanted)
    assert found == "nodes: none of 1 takes the pods: 1 without the label zone=a"


def test_the_largest_gpu_on_nodes_that_take_the_pods() -> None:
    label = "nvidia.com/gpu.memory"
    nodes = [node("a", labels={label: "81559"}), node("b", labels={label: "143771"}, unschedulable=True), node("c")]
    assert largest_gpu(nodes, pods()) == 81559 * 2**20
    assert largest_gpu(nodes[1:], pods()) is None
