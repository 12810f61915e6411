"""What the real scheduler says about pods that no node takes, as a status tells it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes import client, config
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.observing.unschedulable import unschedulable
from testbed.controlplane import ControlPlane

CLAIMS = {"rows": "Pending: 1Gi, ReadWriteMany, StorageClass nowhere"}


@pytest.fixture(scope="module")
def core(built: None) -> Iterator[client.CoreV1Api]:
    """A control plane of its own, with one node that says it is ready: no other test may have its pods placed."""
    with ControlPlane() as running:
        found = client.CoreV1Api(config.new_client_from_config(str(running.kubeconfig)))
        running.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=120s")
        found.create_node({"metadata": {"name": "one"}})
        ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": datetime.now(UTC).isoformat()}
        size = {"cpu": "1", "memory": "1Gi", "pods": "10"}
        found.patch_node_status("one", {"status": {"conditions": [ready], "capacity": size, "allocatable": size}})
        found.patch_node("one", {"spec": {"taints": []}})
        _until_pods_are_taken(found)
        yield found


def _until_pods_are_taken(core: client.CoreV1Api) -> None:
    """Wait until the scheduler knows of the node and that nothing is said against it: before that it says just that."""
    probe = {"metadata": {"name": "probe"}, "spec": {"containers": [{"name": "main", "image": "none"}]}}
    core.create_namespaced_pod("default", probe)
    deadline = time.monotonic() + 90
    while not core.read_namespaced_pod("probe", "default").spec.node_name:
        assert time.monotonic() < deadline, "the scheduler does not take the node"
        time.sleep(0.1)
    core.delete_namespaced_pod("probe", "default", grace_period_seconds=0)


def refused(core: client.CoreV1Api, name: str, **spec: Any) -> dict[str, Any]:
    """A pod that the scheduler has refused, as a document."""
    container = {"name": "main", "image": "none", "resources": spec.pop("resources", {})}
    core.create_namespaced_pod("default", {"metadata": {"name": name}, "spec": {"containers": [container], **spec}})
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = core.api_client.sanitize_for_serialization(core.read_namespaced_pod(name, "default"))
        if find_condition(found, "PodScheduled"):
            return dict(found)
        time.sleep(0.1)
    raise AssertionError(f"the scheduler has nothing to say about {name}")


@pytest.mark.parametrize(("resource", "amount"), [("nvidia.com/gpu", "8"), ("cpu", "64"), ("memory", "1Ti")])
def test_the_resource_that_is_short(core: client.CoreV1Api, resource: str, amount: str) -> None:
    name = f"wants-{resource.rpartition('/')[2]}"
    found = unschedulable(refused(core, name, resources={"limits": {resource: amount}}), {})
    assert found is not None and found[0] == "Unschedulable"
    assert found[1].startswith(f"too little {resource}: "), found[1]


def test_a_claim_without_a_volume(core: client.CoreV1Api) -> None:
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "no"}
    core.create_namespaced_persistent_volume_claim("default", {"metadata": {"name": "rows"}, "spec": spec})
    volume = {"name": "rows", "persistentVolumeClaim": {"claimName": "rows"}}
    found = unschedulable(refused(core, "wants-rows", volumes=[volume]), CLAIMS)
    assert found is not None and found[0] == "VolumePending", found


def test_a_node_selector_that_nothing_has(core: client.CoreV1Api) -> None:
    found = unschedulable(refused(core, "wants-a-place", nodeSelector={"pool": "no"}), {})
    assert found is not None and "check nodeSelector and tolerations" in found[1], found
