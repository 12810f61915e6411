"""Who writes to object storage, and who has its credentials."""

import json
from typing import Any

import pytest

PROFILE = {
    "apiVersion": "swiftlet.dev/v1alpha1",
    "kind": "ComputeProfile",
    "metadata": {"name": "default"},
    "spec": {
        "storage": {"s3": {"endpoint": "https://s3.example", "secretName": "keys"}},
        "hub": {"tokenSecretRef": {"name": "hub", "key": "token"}},
    },
}
TRAINED = "s3://bucket/trained"


def run_of(world: Any, documents: Any, **spec: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Pod and job document."""
    world.add(PROFILE)
    world.add(documents["FineTuneJob"], **spec)
    made = {one["kind"]: one for one in world.look("FineTuneJob").desired}
    template = made["Job"]["spec"]["template"]
    annotations = template["metadata"]["annotations"]
    return template["spec"], json.loads(annotations["swiftlet.dev/job-document"])


def holders(pod: dict[str, Any], of: str = "AWS_") -> list[str]:
    """Containers that have credentials, by how their variables begin."""
    containers = [*pod["initContainers"], *pod["containers"]]
    return [one["name"] for one in containers if any(env["name"].startswith(of) for env in one.get("env", []))]


def test_a_run_that_writes_nothing_elsewhere_has_no_such_container(world: Any, documents: Any) -> None:
    pod, document = run_of(world, documents)
    assert [one["name"] for one in pod["containers"]] == ["train"] and holders(pod) == []
    assert not {"exportUri", "copiesUri"} & document.keys()


@pytest.mark.parametrize("nodes", [1, 2])
def test_what_writes_stands_beside_the_training_and_alone_has_the_credentials(
    world: Any, documents: Any, nodes: int
) -> None:
    pod, _ = run_of(world, documents, export={"uri": TRAINED}, parallelism={"nodes": nodes})
    assert [one["name"] for one in pod["initContainers"]] == ["folder", "restore", "prepare"]
    assert [one["name"] for one in pod["containers"]] == ["train", "upload"]
    assert holders(pod) == ["restore", "upload"]
    assert holders(pod, "HF_TOKEN") == ["prepare", "train"]
    train, upload = pod["containers"]
    names = {one["name"] for one in upload["env"]}
    assert {"PET_NNODES", "PET_NODE_RANK", "PET_MASTER_ADDR", "AWS_ENDPOINT_URL"} <= names
    assert "nvidia.com/gpu" not in json.dumps(upload["resources"])
    assert {"name": "PYTHONSAFEPATH", "value": "1"} in upload["env"], "no module that the training left is imported"
    assert {one["mountPath"] for one in upload["volumeMounts"]} == {one["mountPath"] for one in train["volumeMounts"]}


def test_each_run_has_folders_of_its_own(world: Any, documents: Any) -> None:
    _, document = run_of(world, documents, export={"uri": f"{TRAINED}/"}, checkpoints={"uri": "s3://bucket/runs"})
    own = document["artifactUri"].split("/")[-2]
    assert own.startswith(document["name"]) and own.endswith(document["uid"][:8])
    assert document["exportUri"] == f"{TRAINED}/{own}/artifact"
    assert document["copiesUri"] == f"s3://bucket/runs/{own}/checkpoints"


def test_results_are_attached_by_a_container_of_their_own(world: Any, documents: Any) -> None:
    login = {"storage": {"oci": {"secretName": "login"}}}
    world.add({**PROFILE, "spec": login})
    target = {"model": {"uri": "hf://org/name", "adapterUri": "oci://registry/team/birds:v1"}}
    suites = [{"generation": {"uri": "configmap://bird-data/test.jsonl"}}]
    world.data()
    world.add(documents["EvalRun"], target=target, baseline=None, gates=[], suites=suites, attach=True)
    made = {one["kind"]: one for one in world.look("EvalRun").desired}
    pod = made["Job"]["spec"]["template"]["spec"]
    assert [one["name"] for one in pod["containers"]] == ["evaluate", "publish"]
    secret = [
        one["name"]
        for one in [*pod["initContainers"], *pod["containers"]]
        if any(env["name"] == "SWIFTLET_REGISTRY_CONFIG" for env in one.get("env", []))
    ]
    assert secret == ["fetch", "publish"]
    annotations = made["Job"]["spec"]["template"]["metadata"]["annotations"]
    assert json.loads(annotations["swiftlet.dev/job-document"])["attachUri"] == "oci://registry/team/birds:v1"
