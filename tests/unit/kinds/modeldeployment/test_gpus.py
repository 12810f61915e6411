"""What a server with GPUs is told about them."""

from typing import Any

import pytest
from swiftlet.kinds.frame.progress import merge_event
from swiftlet.kinds.modeldeployment.render import GRACE_SECONDS
from swiftlet_trainer.serve.engine import EngineProcess
from swiftlet_trainer.serve.vllm_arguments import DRAIN_SECONDS

PROFILE = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "default"}}
NETWORK = {
    "socketInterface": "net1",
    "ncclEnv": [{"name": "NCCL_IB_HCA", "value": "mlx5"}],
    "rdma": {"resourceName": "rdma/hca", "count": 2},
    "attachments": ["fast"],
}
DRAFT = {"method": "draft_model", "numSpeculativeTokens": 3}


def start(world: Any, documents: Any, **spec: Any) -> None:
    world.trained()
    world.evaluated()
    world.add(documents["ModelDeployment"], **spec)
    world.reconcile("ModelDeployment")


def document(world: Any) -> dict[str, Any]:
    return dict(world.job_document("bird-serve"))


def template(world: Any) -> dict[str, Any]:
    return dict(world.objects["Deployment", "default", "bird-serve"]["spec"]["template"])


@pytest.mark.parametrize(
    ("gpus", "vllm", "told"),
    [
        (0, None, None),
        (1, None, None),
        (2, None, {"tensorParallelSize": 2}),
        (8, None, {"tensorParallelSize": 8}),
        (8, {}, {"tensorParallelSize": 8}),
        (8, {"pipelineParallelSize": 2}, {"tensorParallelSize": 4, "pipelineParallelSize": 2}),
        (8, {"dataParallelSize": 8}, {"tensorParallelSize": 1, "dataParallelSize": 8}),
        (8, {"tensorParallelSize": 4, "dataParallelSize": 2}, {"tensorParallelSize": 4, "dataParallelSize": 2}),
        (1, {"maxNumSeqs": 4}, {"maxNumSeqs": 4}),
    ],
)
def test_no_gpu_is_left_idle(world: Any, documents: Any, gpus: int, vllm: Any, told: Any) -> None:
    start(world, documents, compute={"gpus": gpus}, engine={"vllm": vllm} if vllm is not None else {})
    found = document(world)
    assert found.get("vllm") == told
    assert found["useGpu"] == (gpus > 0)
    assert found.get("schemaVersion") == ("1.1" if told else None), "else servers of 0.1.0 read it"
    limits = template(world)["spec"]["containers"][0].get("resources", {}).get("limits", {})
    assert limits.get("nvidia.com/gpu") == (str(gpus) if gpus else None)


@pytest.mark.parametrize("gpus", [0, 1])
def test_gpus_that_only_resources_name_would_be_idle(world: Any, documents: Any, gpus: int) -> None:
    start(world, documents, compute={"gpus": gpus, "resources": {"limits": {"nvidia.com/gpu": 8}}})
    _, reason, message = world.condition("ModelDeployment", "Accepted")
    assert reason == "InvalidPlan"
    assert (
        f"name nvidia.com/gpu 8, and spec.compute.gpus is {gpus}: leave nvidia.com/gpu to spec.compute.gpus" in message
    )


def test_draft_model_is_found_for_the_server(world: Any, documents: Any) -> None:
    speculative = {**DRAFT, "model": {"uri": "pvc://drafts/small"}}
    start(world, documents, compute={"gpus": 1}, engine={"vllm": {"speculativeConfig": speculative}})
    assert document(world)["vllm"]["draft"] == {"uri": "pvc://drafts/small", "path": "/swiftlet/sources/draft/small"}
    mounts = {mount["name"]: mount for mount in template(world)["spec"]["containers"][0]["volumeMounts"]}
    assert mounts["draft"] == {"name": "draft", "mountPath": "/swiftlet/sources/draft", "readOnly": True}


def test_draft_that_pods_cannot_read_is_refused(world: Any, documents: Any) -> None:
    speculative = {**DRAFT, "model": {"uri": "file:///models/small"}}
    start(world, documents, compute={"gpus": 1}, engine={"vllm": {"speculativeConfig": speculative}})
    _, reason, message = world.condition("ModelDeployment", "Accepted")
    assert reason == "LocalPathNotAllowed" and "spec.engine.vllm.speculativeConfig.model file:///models" in message


@pytest.mark.parametrize(
    ("artifact", "reason"), [(None, "WaitingForFineTuneJob"), ("model", "Planned"), ("adapter", "InvalidPlan")]
)
def test_draft_of_a_job_is_waited_for_and_is_a_whole_model(
    world: Any, documents: Any, artifact: str | None, reason: str
) -> None:
    job = world.add({**documents["FineTuneJob"], "metadata": {"name": "small"}})
    made = {"uri": "pvc://swiftlet-artifacts/small", "digest": "sha256:s", "type": artifact, "baseDigest": ""}
    job["status"] = {"artifact": made} if artifact else {}
    speculative = {**DRAFT, "model": {"fineTuneJobRef": {"name": "small"}}}
    start(world, documents, compute={"gpus": 2}, engine={"vllm": {"speculativeConfig": speculative}})
    assert world.condition("ModelDeployment", "Accepted")[1] == reason
    if reason == "Planned":
        assert document(world)["vllm"]["draft"]["digest"] == "sha256:s"


@pytest.mark.parametrize(
    ("gpus", "limit", "shared"),
    [
        (0, "64Gi", "32Gi"),
        (1, "64Gi", "8Gi"),
        (2, None, "8Gi"),
        (8, None, "16Gi"),
        (8, "64Gi", "16Gi"),
        (8, "8Gi", "4Gi"),
    ],
)
def test_shared_memory_grows_with_the_gpus_within_the_memory_limit(
    world: Any, documents: Any, gpus: int, limit: str | None, shared: str
) -> None:
    limits = {"limits": {"memory": limit}} if limit else {}
    start(world, documents, compute={"gpus": gpus, "resources": limits})
    volumes = {volume["name"]: volume for volume in template(world)["spec"]["volumes"]}
    assert volumes["shm"]["emptyDir"] == {"medium": "Memory", "sizeLimit": shared}


@pytest.mark.parametrize(
    ("gpus", "weight_bytes", "seconds"),
    [
        (1, None, 1800),
        (2, None, 3015),
        (8, None, 10305),
        (1, 16 * 10**9, 760),
        (2, 140 * 10**9, 2015),
        (8, 810 * 10**9, 8805),
    ],
)
def test_probes_wait_as_long_as_the_model_may_take(
    world: Any, documents: Any, gpus: int, weight_bytes: int | None, seconds: int
) -> None:
    world.put({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "mirror"}})
    world.add(PROFILE, storage={"modelsClaim": "mirror"}, images={"server": "server", "trainer": "trainer"})
    world.trained(**({"weightBytes": weight_bytes} if weight_bytes else {}))
    world.evaluated()
    world.add(documents["ModelDeployment"], compute={"gpus": gpus})
    world.reconcile("ModelDeployment")
    (serve,) = template(world)["spec"]["containers"]
    startup = serve["startupProbe"]
    assert startup["httpGet"]["path"] == "/readyz"
    assert seconds <= startup["periodSeconds"] * startup["failureThreshold"] < seconds + startup["periodSeconds"]
    child = world.objects["Deployment", "default", "bird-serve"]
    assert child["spec"]["progressDeadlineSeconds"] > seconds
    # Whether it lives does not depend on how large it is: /livez asks processes that answer while the GPUs compute.
    live = serve["livenessProbe"]
    assert (live["httpGet"]["path"], live["periodSeconds"] * live["failureThreshold"]) == ("/livez", 60)


def test_answers_under_way_are_finished_before_the_kubelet_kills(world: Any, documents: Any) -> None:
    start(world, documents, compute={"gpus": 8})
    assert template(world)["spec"]["terminationGracePeriodSeconds"] == GRACE_SECONDS
    assert DRAIN_SECONDS < EngineProcess("vllm", [], {}).kill_after_seconds < GRACE_SECONDS


@pytest.mark.parametrize(("gpus", "has_fabric"), [(0, False), (1, False), (2, True), (8, True)])
def test_the_fabric_of_the_profile_is_for_servers_on_several_gpus(
    world: Any, documents: Any, gpus: int, has_fabric: bool
) -> None:
    world.add(PROFILE, network=NETWORK, images={"server": "server", "trainer": "trainer"})
    start(world, documents, compute={"gpus": gpus})
    (serve,), metadata = template(world)["spec"]["containers"], template(world)["metadata"]
    env = {entry["name"]: entry.get("value") for entry in serve["env"] if entry["name"].startswith(("NCCL", "GLOO"))}
    expected = {"GLOO_SOCKET_IFNAME": "net1", "NCCL_SOCKET_IFNAME": "=net1", "NCCL_IB_HCA": "mlx5"}
    assert env == (expected if has_fabric else {})
    assert ("k8s.v1.cni.cncf.io/networks" in metadata.get("annotations", {})) == has_fabric
    limits = serve.get("resources", {}).get("limits", {})
    assert "rdma/hca" not in limits, "one pod reaches its GPUs without"


def test_quantized_weights_are_told_as_long_as_they_are_served(world: Any, documents: Any) -> None:
    start(world, documents, compute={"gpus": 1})
    uid = world.objects["ModelDeployment", "default", "bird"]["metadata"]["uid"]
    serving = {"type": "serving", "time": "t", "engine": "vllm"}
    world.reported[uid] = merge_event(None, {**serving, "quantization": "awq, 4 bits"})
    assert world.reconcile("ModelDeployment").status["quantization"] == "awq, 4 bits"
    del world.reported[uid]
    assert world.reconcile("ModelDeployment").status["quantization"] == "awq, 4 bits", "the operator was restarted"
    world.reported[uid] = merge_event({**serving, "quantization": "awq, 4 bits", "reason": "old"}, serving)
    assert "quantization" not in world.reconcile("ModelDeployment").status
