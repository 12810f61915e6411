"""What a server with GPUs is told about them."""

import json
from typing import Any

import pytest

DRAFT = {"method": "draft_model", "numSpeculativeTokens": 3}


def start(world: Any, documents: Any, **spec: Any) -> None:
    world.trained()
    world.evaluated()
    world.add(documents["ModelDeployment"], **spec)
    world.reconcile("ModelDeployment")


def document(world: Any) -> dict[str, Any]:
    return dict(json.loads(world.job_document("bird-serve")["data"]["job.json"]))


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
