"""What the planners make, as a real API server takes it in: schema, Pod Security "restricted", and its own spelling."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes import client
from swiftlet.api.schema.validation import defaulted
from swiftlet.kinds import RECONCILERS, Capabilities
from testbed.controlplane import ControlPlane

API = {"apiVersion": "swiftlet.dev/v1alpha1"}
IMAGES = {"trainer": "registry.example/trainer:1", "server": "registry.example/server:1"}
CAPABILITIES = Capabilities(progress_url="http://swiftlet-operator.swiftlet:8080/progress")
PROFILE: dict[str, Any] = {
    **API,
    "kind": "ComputeProfile",
    "metadata": {"name": "default"},
    "spec": {
        "images": {**IMAGES, "pullSecrets": [{"name": "registry"}], "pullPolicy": "IfNotPresent"},
        "env": [{"name": "TZ", "value": "UTC"}],
        "proxy": {"https": "http://proxy.example:3128"},
        "caBundle": {"configMapRef": {"name": "rows", "key": "a.jsonl"}},
        "podMetadata": {"labels": {"cost": "birds"}, "annotations": {"sidecar.istio.io/inject": "false"}},
        "topologySpread": [{"topologyKey": "topology.kubernetes.io/zone"}],
        "schedulerName": "volcano",
        "serviceAccountName": "default",
        "hostUsers": False,
        "scratch": {"sharedMemorySize": "1Gi"},
        "limits": {"nodes": 8, "resources": {"memory": "64Gi"}},
        "storage": {"artifactsStorageClass": "shared", "artifactsSize": "1Gi", "modelsClaim": "mirror"},
        "network": {
            "socketInterface": "net1",
            "ncclEnv": [{"name": "NCCL_IB_HCA", "value": "mlx5"}],
            "rdma": {"resourceName": "rdma/hca", "count": 2},
            "attachments": ["fast", "net/slow@net2"],
        },
        "resources": {"requests": {"cpu": 1}, "limits": {"memory": "3Gi", "cpu": "2"}},
    },
}
ARTIFACT = {
    "uri": "pvc://swiftlet-artifacts/x/artifact",
    "digest": "sha256:aaaa",
    "type": "adapter",
    "weightBytes": 270_000_000,
    "steps": 3,
}
SPECS: dict[str, Any] = {
    "FineTuneJob": {
        "model": {"uri": "hf://org/model"},
        "datasets": [{"uri": "configmap://rows/a.jsonl"}],
        "parallelism": {"nodes": 2},
        "compute": {"gpus": 2},
    },
    "EvalRun": {
        "target": {"fineTuneJobRef": {"name": "bird"}},
        "suites": [{"generation": {"uri": "configmap://rows/a.jsonl"}}],
    },
    "ModelDeployment": {
        "model": {"fineTuneJobRef": {"name": "bird"}},
        "replicas": 2,
        "api": {"apiKey": {"secretRef": {"name": "keys", "key": "token"}}},
    },
}


class Shelf:
    """A reader of these objects."""

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        self._objects = {(one["kind"], one["metadata"]["name"]): one for one in objects}

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        return self._objects.get((kind, name))

    def children(self, namespace: str, owner_uid: str) -> list[dict[str, Any]]:
        return []

    def progress(self, uid: str) -> dict[str, Any] | None:
        return None

    def serves(self, kind: str) -> bool:
        return False

    def complaint(self, job: dict[str, Any]) -> None:
        return None


@pytest.fixture
def restricted(new_namespace: Callable[..., str]) -> str:
    """A namespace that takes restricted pods only."""
    return new_namespace(**{"pod-security.kubernetes.io/enforce": "restricted"})


def resource(kind: str, namespace: str) -> dict[str, Any]:
    metadata = {"name": "bird", "namespace": namespace, "uid": str(uuid.uuid4()), "generation": 1}
    return defaulted({**API, "kind": kind, "metadata": metadata, "spec": SPECS[kind]})


def planned(kind: str, namespace: str) -> list[dict[str, Any]]:
    """What the planner of a kind wants, with everything that a profile can add."""
    there = [
        {"kind": "ConfigMap", "metadata": {"name": "rows"}, "data": {"a.jsonl": "{}"}},
        {"kind": "PersistentVolumeClaim", "metadata": {"name": "mirror"}},
        defaulted(PROFILE),
    ]
    if kind != "FineTuneJob":
        there.append({**resource("FineTuneJob", namespace), "status": {"artifact": ARTIFACT}})
        there.append({"kind": "PersistentVolumeClaim", "metadata": {"name": "swiftlet-artifacts"}})
    outcome = RECONCILERS[kind](resource(kind, namespace), Shelf(there), datetime.now(UTC), CAPABILITIES)
    assert outcome.desired, outcome.status
    return outcome.desired


@pytest.fixture
def apply(control_plane: ControlPlane) -> Any:
    """Server-side apply; the object as stored."""

    def applied(manifest: dict[str, Any], *flags: str) -> dict[str, Any]:
        arguments = ("apply", "--server-side", "--field-manager=test", "-o", "json", *flags, "-f", "-")
        return dict(json.loads(control_plane.kubectl(*arguments, stdin=json.dumps(manifest)).stdout))

    return applied


@pytest.mark.parametrize("kind", SPECS)
def test_every_child_is_taken_and_every_pod_is_restricted(restricted: str, apply: Any, kind: str) -> None:
    for manifest in planned(kind, restricted):
        stored = apply(manifest)
        assert not differences(manifest.get("spec", {}), stored.get("spec", {})), manifest["kind"]
        template = manifest.get("spec", {}).get("template")
        if template:
            # The admission of a workload only warns; that of the pod itself decides.
            metadata = {**template["metadata"], "name": f"{manifest['metadata']['name']}-0", "namespace": restricted}
            spec = {"restartPolicy": "Never", **template["spec"]}
            apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}, "--dry-run=server")


def test_the_namespace_does_refuse_what_is_not_restricted(restricted: str, core: client.CoreV1Api) -> None:
    spec = {"containers": [{"name": "main", "image": "none"}]}
    with pytest.raises(client.ApiException, match="violates PodSecurity"):
        core.create_namespaced_pod(restricted, {"metadata": {"name": "free"}, "spec": spec}, dry_run="All")


def differences(wanted: Any, stored: Any, path: str = "") -> list[str]:
    """Where the API server stored something else than it was given; what it added is its own business."""
    if isinstance(wanted, dict):
        parts = [(f"{path}.{name}", part, stored.get(name)) for name, part in wanted.items()]
        return [found for where, one, other in parts for found in differences(one, other, where)]
    if isinstance(wanted, list) and isinstance(stored, list) and len(wanted) == len(stored):
        pairs = enumerate(zip(wanted, stored, strict=True))
        return [found for index, (one, other) in pairs for found in differences(one, other, f"{path}[{index}]")]
    return [] if wanted == stored else [f"{path}: {wanted!r} became {stored!r}"]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"storage": {"artifactsSize": "1Gi"}}, "artifactsSize is the size of a claim that is made"),
        (
            {"network": {"socketInterface": "a", "ncclEnv": [{"name": "NCCL_SOCKET_IFNAME", "value": "b"}]}},
            "NCCL_SOCKET_IFNAME is set by socketInterface",
        ),
        ({"network": {"ncclEnv": [{"name": "LD_PRELOAD", "value": "x"}]}}, "should match '^NCCL_"),
        ({"network": {"socketInterface": "^docker"}}, "should match"),
        ({"network": {"rdma": {"resourceName": "cpu"}}}, "should match"),
    ],
)
def test_profiles_that_are_refused(custom: client.CustomObjectsApi, part: dict[str, Any], words: str) -> None:
    document = {**API, "kind": "ComputeProfile", "metadata": {"name": "refused"}, "spec": part}
    with pytest.raises(client.ApiException) as caught:
        custom.create_cluster_custom_object("swiftlet.dev", "v1alpha1", "computeprofiles", document)
    assert caught.value.status == 422 and words in caught.value.body


def test_a_profile_with_every_new_field_is_taken(control_plane: ControlPlane) -> None:
    control_plane.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(PROFILE))
