"""What a run writes beyond its volumes, from real pods: checkpoints to a real S3 server, the artifact and what an
evaluation says of it to a real registry."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from installation import default_profile
from testbed.artifact_registry import PASSWORD, USER, ArtifactRegistry
from testbed.listening import Place
from testbed.nodes import Cluster as Bed
from testbed.object_storage import ACCESS_KEY, SECRET_KEY, ObjectStorage
from watching import items, until, until_true

pytestmark = pytest.mark.timeout(3600)  # images and a cluster are made first
NAMESPACE = "storage"
STEPS = 12
LOGIN = "kubernetes.io/dockerconfigjson"


@pytest.fixture(scope="module")
def place(bed: Bed) -> Place:
    """Where pods and this machine reach a server."""
    return Place(bed.plan.address, tuple(bed.control_plane.prefix))


@pytest.fixture(scope="module")
def bucket(bed: Bed, place: Place) -> ObjectStorage:
    server = ObjectStorage(bed.bed, place=place)
    server.bucket("runs")
    return server


@pytest.fixture(scope="module")
def registry(bed: Bed, place: Place) -> ArtifactRegistry:
    return ArtifactRegistry(bed.bed, place)


@pytest.fixture(scope="module")
def namespace(bed: Bed, installed: str, prepared_namespace: Callable[[str], str]) -> str:
    """A namespace as a platform team makes it."""
    return prepared_namespace(NAMESPACE)


@pytest.fixture(scope="module")
def furnished(bed: Bed, namespace: str, bucket: ObjectStorage, registry: ArtifactRegistry) -> str:
    """The namespace with rows, a profile that knows both servers, and their credentials."""
    turns = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Apus."}]
    rows = {"a.jsonl": "".join(json.dumps({"messages": turns}) + "\n" for _ in range(16))}
    rows["asked.jsonl"] = json.dumps({"prompt": "Who?", "answer": "Apus"})
    bed.apply(
        core("ConfigMap", "rows", data=rows),
        core("Secret", "s3", stringData={"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}),
        core("Secret", "login", type=LOGIN, stringData={".dockerconfigjson": registry.login()}),
    )
    spec = default_profile(bed)["spec"]
    storage = spec["storage"] | {
        "s3": {"endpoint": bucket.url, "secretName": "s3"},
        "oci": {"secretName": "login", "plainHttp": True},
    }
    metadata = {"name": "elsewhere"}
    kind = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": metadata}
    bed.apply({**kind, "spec": spec | {"storage": storage}})
    return namespace


def core(kind: str, name: str, **content: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, **content}


def ours(kind: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": "bird", "namespace": NAMESPACE}
    compute = {"compute": {"profileRef": {"name": "elsewhere"}}}
    return {"apiVersion": "swiftlet.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": {**spec, **compute}}


def test_a_run_goes_on_from_its_copies_and_leaves_its_artifact_in_a_registry(
    bed: Bed, furnished: str, bucket: ObjectStorage, registry: ArtifactRegistry, shared_folder: Path
) -> None:
    namespace = furnished
    repository = f"{registry.host}/trained/birds"
    bed.apply(
        ours(
            "FineTuneJob",
            model={"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct"},
            datasets=[{"uri": "configmap://rows/a.jsonl"}],
            tuner={"lora": {"rank": 4}},
            training={"maxSteps": STEPS, "globalBatchSize": 4},
            checkpoints={"intervalSteps": 2, "uri": "s3://runs/birds"},
            export={"uri": f"oci://{repository}"},
        )
    )
    copies = bucket.folder / "runs" / "birds"
    until("a copy of a checkpoint", lambda: next(copies.rglob("complete.json"), None), 900)
    (pod,) = items(bed, namespace, "pods", "swiftlet.dev/name=bird")
    assert knowing(pod, "s3") == knowing(pod, "login") == {"restore", "upload"}
    bed.kubectl("delete", "pod", pod["metadata"]["name"], "-n", namespace, "--grace-period=0", "--force")
    lose(shared_folder / "artifacts" / namespace)
    job = until_true(bed, namespace, "ftj", "bird", "Succeeded", 900)
    assert job["status"]["artifact"]["steps"] == STEPS and job["status"]["restarts"]["user"] == 0
    log = bed.kubectl("logs", "-n", namespace, "-l", "swiftlet.dev/attempt=1", "-c", "restore", "--tail=-1").stdout
    assert "fetched from s3://runs/birds" in log, log

    digest = job["status"]["artifact"]["uri"].removeprefix(f"oci://{repository}@")
    assert digest.startswith("sha256:")
    bed.apply(
        ours(
            "EvalRun",
            target={"fineTuneJobRef": {"name": "bird"}},
            suites=[{"generation": {"uri": "configmap://rows/asked.jsonl", "metrics": ["contains"], "maxTokens": 4}}],
            attach=True,
        )
    )
    until_true(bed, namespace, "evr", "bird", "Succeeded", 900)
    (evaluating,) = items(bed, namespace, "pods", "swiftlet.dev/kind=EvalRun")
    assert knowing(evaluating, "login") == {"fetch", "publish"}
    tag = digest.replace(":", "-")  # where referrers are, in a registry that keeps no list of them
    answer = httpx.get(f"http://{registry.host}/v2/trained/birds/manifests/{tag}", auth=(USER, PASSWORD))
    (referrer,) = answer.json()["manifests"]
    assert referrer["artifactType"] == "application/vnd.swiftlet.evaluation.v1"


def knowing(pod: dict[str, Any], secret: str) -> set[str]:
    """Names of a pod's containers to which a Secret is given."""
    spec = pod["spec"]
    volumes = {one["name"] for one in spec["volumes"] if (one.get("secret") or {}).get("secretName") == secret}
    found = set()
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        mounted = {mount["name"] for mount in container.get("volumeMounts", ())}
        sources = [one.get("valueFrom") or {} for one in container.get("env", ())]
        named = secret in {source.get("secretKeyRef", {}).get("name") for source in sources}
        if named or mounted & volumes:
            found.add(container["name"])
    return found


def lose(folder: Path) -> None:
    """What another volume would have of the run: no checkpoints."""
    for checkpoints in list(folder.rglob("checkpoints")):
        shutil.rmtree(checkpoints, ignore_errors=True)
