"""Messages as kube-scheduler 1.36 writes them."""

from typing import Any

import pytest
from swiftlet.kinds.observing.unschedulable import unschedulable

PREEMPTION = " preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
CLAIMS = {"rows": "Pending: 1Gi, ReadWriteMany, StorageClass slow"}


def pod(message: str, reason: str = "Unschedulable", status: str = "False") -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": status, "reason": reason, "message": message}
    return {"status": {"conditions": [condition]}}


@pytest.mark.parametrize(
    ("message", "start", "remedy"),
    [
        (
            f"0/2 nodes are available: 2 Insufficient nvidia.com/gpu.{PREEMPTION}",
            "too little nvidia.com/gpu: 0/2 nodes",
            "ask for less in compute.gpus or the ComputeProfile's network.rdma, or add nodes",
        ),
        (
            f"0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient memory.{PREEMPTION}",
            "too little cpu, memory: 0/2 nodes",
            "ask for less in compute.resources, or add nodes",
        ),
        (
            f"0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.{PREEMPTION}",
            "0/2 nodes",
            "check nodeSelector and tolerations of the ComputeProfile, or add such nodes",
        ),
        (
            "0/2 nodes are available: 2 node(s) had untolerated taint(s).",
            "0/2 nodes",
            "check nodeSelector and tolerations of the ComputeProfile, or add such nodes",
        ),
        ("no nodes available to schedule pods", "no nodes available", "add nodes that can take it"),
    ],
)
def test_what_is_short_and_what_to_do(message: str, start: str, remedy: str) -> None:
    found = unschedulable(pod(message), {})
    assert found is not None
    assert found[0] == "Unschedulable"
    assert found[1].startswith(start) and remedy in found[1] and message in found[1]


@pytest.mark.parametrize(
    "message",
    [
        "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
        "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.",
    ],
)
def test_a_claim_is_blamed_only_when_the_scheduler_does(message: str) -> None:
    found = unschedulable(pod(message), CLAIMS)
    assert found is not None and found[0] == "VolumePending"
    assert "PersistentVolumeClaim rows is Pending: 1Gi" in found[1]
    assert (unschedulable(pod("0/1 nodes are available: 1 Insufficient cpu."), CLAIMS) or ("",))[0] == "Unschedulable"
    assert (unschedulable(pod(message), {}) or ("",))[0] == "Unschedulable"


def test_other_reasons_and_other_pods() -> None:
    assert unschedulable(pod("held", "SchedulingGated"), {}) == ("SchedulingGated", "held")
    assert unschedulable(pod("", "", "True"), {}) is None
    assert unschedulable({"status": {}}, {}) is None


def test_a_pod_that_runs_has_a_node_whatever_was_said_before() -> None:
    found = pod("0/1 nodes are available: 1 Insufficient cpu.")
    found["status"]["phase"] = "Running"
    assert unschedulable(found, {}) is None
