"""Servers on GPUs, as the real scheduler places them on nodes that say they have some."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.wire.documents import ServeDocument
from swiftlet_trainer.serve.vllm_arguments import vllm_arguments
from testbed.controlplane import ControlPlane
from testbed.manifests import await_kinds
from testbed.operator_process import OperatorProcess

CRDS = Path(__file__).parents[3] / "crds"
NODES = ("one", "two", "three")
SIZE = {"cpu": "64", "memory": "512Gi", "pods": "110", "ephemeral-storage": "1Ti", "nvidia.com/gpu": "8"}
SERVERS = ("swiftlet.dev", "v1alpha1", "default", "modeldeployments")


@pytest.fixture(scope="module")
def api(built: None) -> Iterator[client.ApiClient]:
    """A control plane of its own with an operator: no other test may have its pods placed."""
    with ControlPlane() as running:
        running.kubectl("apply", "--server-side", "-f", str(CRDS))
        await_kinds(running)
        running.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
        operator = OperatorProcess(running, running.kubeconfig, "default")
        operator.start()
        try:
            operator.wait_ready()
            yield config.new_client_from_config(str(running.kubeconfig))
        finally:
            operator.kill()


@contextmanager
def nodes_with_gpus(api: client.ApiClient) -> Iterator[None]:
    """Nodes of 8 GPUs each, which are there as long as no kubelet is missed: the length of a test."""
    core = client.CoreV1Api(api)
    for name in NODES:
        core.create_node({"metadata": {"name": name}})
        ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": datetime.now(UTC).isoformat()}
        core.patch_node_status(name, {"status": {"conditions": [ready], "capacity": SIZE, "allocatable": SIZE}})
        core.patch_node(name, {"spec": {"taints": []}})
    yield
    for name in NODES:
        core.delete_node(name)


def serve(api: client.ApiClient, gpus: int, **engine: Any) -> str:
    name = f"gpus-{gpus}"
    spec = {"model": {"uri": "hf://org/large"}, "engine": {"name": "vllm", **engine}, "compute": {"gpus": gpus}}
    body = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": name}, "spec": spec}
    client.CustomObjectsApi(api).create_namespaced_custom_object(*SERVERS, body)
    return name


def pods(api: client.ApiClient, name: str) -> list[dict[str, Any]]:
    found = client.CoreV1Api(api).list_namespaced_pod("default").items
    listed = [api.sanitize_for_serialization(pod) for pod in found]
    return [pod for pod in listed if pod["metadata"]["name"].startswith(f"{name}-serve-")]


def await_(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 30
    while not (found := holds()):
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
    return found


def placed(api: client.ApiClient, name: str) -> dict[str, Any]:
    """The server's pod, once the scheduler has given it a node."""
    bound = lambda: [pod for pod in pods(api, name) if pod["spec"].get("nodeName")]  # noqa: E731
    (pod,) = await_(bound, f"{name} has no node")
    return dict(pod)


def document(api: client.ApiClient, pod: dict[str, Any]) -> ServeDocument:
    """What the pod mounts as its job document."""
    (volume,) = [one for one in pod["spec"]["volumes"] if one["name"] == "job"]
    held = client.CoreV1Api(api).read_namespaced_config_map(volume["configMap"]["name"], "default")
    return ServeDocument.model_validate(json.loads(held.data["job.json"]))


def test_servers_of_1_2_and_8_gpus_get_nodes_and_use_all_they_get(api: client.ApiClient) -> None:
    sizes = {1: {}, 2: {}, 8: {"vllm": {"tensorParallelSize": 4, "dataParallelSize": 2, "kvCacheDtype": "fp8"}}}
    flags = {1: None, 2: "--tensor-parallel-size 2", 8: "--tensor-parallel-size 4 --data-parallel-size 2"}
    with nodes_with_gpus(api):
        for name, gpus in [(serve(api, gpus, **engine), gpus) for gpus, engine in sizes.items()]:
            pod = placed(api, name)
            (container,) = pod["spec"]["containers"]
            assert container["resources"]["limits"]["nvidia.com/gpu"] == str(gpus)
            (shm,) = [one["emptyDir"] for one in pod["spec"]["volumes"] if one["name"] == "shm"]
            assert shm == {"medium": "Memory", "sizeLimit": "16Gi" if gpus == 8 else "8Gi"}
            line = " ".join(vllm_arguments(document(api, pod), Path("/m"), "0.0.0.0"))
            assert (flags[gpus] in line) if flags[gpus] else "parallel" not in line
        assert "--kv-cache-dtype fp8" in line


def test_more_gpus_than_a_node_has_are_told_in_the_schedulers_words(api: client.ApiClient) -> None:
    with nodes_with_gpus(api):
        name = serve(api, 16)
        read = client.CustomObjectsApi(api).get_namespaced_custom_object

        said = "too little nvidia.com/gpu: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu"

        def refused() -> Any:
            """Of a node that it does not know yet, or not as ready, the scheduler speaks otherwise."""
            found = find_condition(read(*SERVERS, name), "Ready")
            return found if found and found["reason"] == "Unschedulable" and said in found["message"] else None

        message = await_(refused, f"{name} is not told to be unschedulable")["message"]
        assert "ask for less in compute.gpus" in message
