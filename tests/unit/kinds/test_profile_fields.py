"""Every field of a ComputeProfile that reaches pods, in the pods of all three kinds."""

import re
from typing import Any

import pytest
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.api.v1alpha1.profile_environment import ALLOWED_VARIABLES
from swiftlet.kinds import Capabilities

PROFILE = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "default"}}
KINDS = ("FineTuneJob", "EvalRun", "ModelDeployment")
CA = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "company-ca"}, "data": {"ca.pem": "PEM"}}
OWNER = "swiftlet.dev/owner-uid"


def workloads(world: Any, documents: Any, profile: dict[str, Any], **metadata: Any) -> dict[str, dict[str, Any]]:
    """The Job or Deployment of each kind under a profile; `metadata` is added to that of the resources."""
    world.put(CA)
    world.add(PROFILE, **profile)
    for kind, prepare in zip(KINDS, (lambda: None, world.trained, world.evaluated), strict=True):
        prepare()
        document = documents[kind]
        world.add({**document, "metadata": {**document["metadata"], **metadata}})
        assert world.reconcile(kind).desired, world.condition(kind, "Accepted")
    made = [one for one in world.objects.values() if one["kind"] in ("Job", "Deployment")]
    found = {one["metadata"]["labels"]["swiftlet.dev/kind"]: one for one in made}
    assert set(found) == set(KINDS)
    return found


def containers(workload: dict[str, Any]) -> list[dict[str, Any]]:
    pod = workload["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


def env_of(container: dict[str, Any]) -> dict[str, Any]:
    names = [variable["name"] for variable in container["env"]]
    assert len(names) == len(set(names)), "the API server keeps one of two"
    return {variable["name"]: variable.get("value", variable.get("valueFrom")) for variable in container["env"]}


@pytest.mark.parametrize(
    ("profile", "rendered"),
    [
        ({"priorityClassName": "batch"}, {"priorityClassName": "batch"}),
        ({"schedulerName": "volcano"}, {"schedulerName": "volcano"}),
        ({"runtimeClassName": "nvidia"}, {"runtimeClassName": "nvidia"}),
        ({"serviceAccountName": "trainer"}, {"serviceAccountName": "trainer", "automountServiceAccountToken": False}),
        ({"hostUsers": False}, {"hostUsers": False}),
        ({"nodeSelector": {"pool": "a"}}, {"nodeSelector": {"pool": "a"}}),
        ({"tolerations": [{"operator": "Exists"}]}, {"tolerations": [{"operator": "Exists"}]}),
    ],
)
def test_fields_of_the_pod(world: Any, documents: Any, profile: dict[str, Any], rendered: dict[str, Any]) -> None:
    for workload in workloads(world, documents, profile).values():
        pod = workload["spec"]["template"]["spec"]
        assert {name: pod.get(name) for name in rendered} == rendered


def test_images_are_pulled_as_the_profile_says(world: Any, documents: Any) -> None:
    images = {"trainer": "r.example/t:1", "server": "r.example/s:1", "pullPolicy": "Always"}
    found = workloads(world, documents, {"images": {**images, "pullSecrets": [{"name": "registry"}]}})
    for kind, workload in found.items():
        assert workload["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}]
        image = images["server" if kind == "ModelDeployment" else "trainer"]
        assert {(one["image"], one["imagePullPolicy"]) for one in containers(workload)} == {(image, "Always")}


def test_environment_proxy_hub_and_authorities(world: Any, documents: Any) -> None:
    profile = {
        "env": [{"name": "TZ", "value": "Europe/Berlin"}],
        "proxy": {"https": "http://proxy.example:3128", "noProxy": ["10.0.0.0/8"]},
        "hub": {"endpoint": "https://hub.example", "tokenSecretRef": {"name": "hub", "key": "token"}},
        "caBundle": {"configMapRef": {"name": "company-ca", "key": "ca.pem"}},
    }
    for workload in workloads(world, documents, profile).values():
        verbs = [one for one in containers(workload) if one["name"] != "folder"]
        for container in verbs:
            env = env_of(container)
            assert env["TZ"] == "Europe/Berlin"
            assert env["HTTPS_PROXY"] == env["https_proxy"] == "http://proxy.example:3128"
            assert env["NO_PROXY"] == env["no_proxy"] == "localhost,127.0.0.1,.svc,.cluster.local,10.0.0.0/8"
            assert "HTTP_PROXY" not in env
            assert env["HF_ENDPOINT"] == "https://hub.example"
            assert env["HF_TOKEN"] == {"secretKeyRef": {"name": "hub", "key": "token"}}
            assert env["SSL_CERT_FILE"] == env["REQUESTS_CA_BUNDLE"] == env["CURL_CA_BUNDLE"] == "/swiftlet/ca/ca.crt"
            (mount,) = [one for one in container["volumeMounts"] if one["name"] == "ca"]
            assert mount == {"name": "ca", "mountPath": "/swiftlet/ca", "readOnly": True}
        (volume,) = [one for one in workload["spec"]["template"]["spec"]["volumes"] if one["name"] == "ca"]
        assert volume["configMap"] == {"name": "company-ca", "items": [{"key": "ca.pem", "path": "ca.crt"}]}


@pytest.mark.parametrize(
    ("scratch", "tmp", "run", "shm"),
    [
        ({}, "50Gi", "10Gi", "8Gi"),
        ({"tmpSize": "1Gi", "runSize": "2Gi", "sharedMemorySize": "3Gi"}, "1Gi", "2Gi", "3Gi"),
    ],
)
def test_scratch_space_is_bounded(
    world: Any, documents: Any, scratch: dict[str, Any], tmp: str, run: str, shm: str
) -> None:
    for workload in workloads(world, documents, {"scratch": scratch}).values():
        volumes = workload["spec"]["template"]["spec"]["volumes"]
        bounds = {one["name"]: one["emptyDir"].get("sizeLimit") for one in volumes if "emptyDir" in one}
        assert bounds == {"tmp": tmp, "run": run, "shm": shm}


def test_pods_are_spread_by_their_own_labels(world: Any, documents: Any) -> None:
    spread = [{"topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}]
    for workload in workloads(world, documents, {"topologySpread": spread}).values():
        (found,) = workload["spec"]["template"]["spec"]["topologySpreadConstraints"]
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert found["labelSelector"]["matchLabels"].items() <= labels.items()
        assert found["labelSelector"]["matchLabels"][OWNER] == labels[OWNER]
        assert (found["topologyKey"], found["maxSkew"], found["whenUnsatisfiable"]) == (
            "topology.kubernetes.io/zone", 1, "DoNotSchedule",
        )  # fmt: skip


def test_labels_and_annotations_of_profile_and_resource(world: Any, documents: Any) -> None:
    profile = {"podMetadata": {"labels": {"cost": "profile"}, "annotations": {"sidecar.istio.io/inject": "false"}}}
    labels = {
        "cost": "mine",
        "team": "birds",
        "kueue.x-k8s.io/queue-name": "gpus",
        "app.kubernetes.io/instance": "argo",
        OWNER: "somebody-else",
        "job-name": "mine",
    }
    annotations = {
        "vault.hashicorp.com/agent-inject": "true",
        "argocd.argoproj.io/tracking-id": "x",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "k8s.v1.cni.cncf.io/networks": "other",
    }
    for workload in workloads(world, documents, profile, labels=labels, annotations=annotations).values():
        pod = workload["spec"]["template"]["metadata"]
        for metadata in (workload["metadata"], pod):
            given = {key: text for key, text in metadata["labels"].items() if not key.startswith(("app.k", "swift"))}
            given.pop("kueue.x-k8s.io/queue-name", None)
            assert given == {"cost": "profile", "team": "birds"}
            assert metadata["labels"][OWNER] != "somebody-else"
            assert "app.kubernetes.io/instance" not in metadata["labels"]
            passed = {key: text for key, text in metadata["annotations"].items() if not key.startswith("swiftlet.dev/")}
            assert passed == {"sidecar.istio.io/inject": "false", "vault.hashicorp.com/agent-inject": "true"}
        assert workload["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
        assert "kueue.x-k8s.io/queue-name" not in pod["labels"]


def test_requests_by_default(world: Any, documents: Any) -> None:
    for workload in workloads(world, documents, {}).values():
        for container in containers(workload):
            assert container["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}


def test_no_variable_of_ours_can_be_set_by_a_profile(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities(provisions_claims=True, progress_url="http://operator:8080/progress")
    network = {"socketInterface": "eth1", "ncclEnv": [{"name": "NCCL_DEBUG", "value": "INFO"}]}
    documents["FineTuneJob"]["spec"] |= {"parallelism": {"nodes": 2}, "compute": {"gpus": 1}}
    profile = {"network": network, "storage": {"modelsClaim": "models"}, "resources": {"limits": {"cpu": 4}}}
    names = {
        name
        for workload in workloads(world, documents, profile).values()
        for container in containers(workload)
        for name in ({} if container["name"] == "folder" else env_of(container))
    }
    assert {"PET_MASTER_ADDR", "OMP_NUM_THREADS", "POD_IP", "SWIFTLET_PROGRESS_URL", "GLOO_SOCKET_IFNAME"} <= names
    loads_code = {"LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONSTARTUP", "VLLM_PLUGINS", "PATH", "HF_TOKEN"}
    ours_elsewhere = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT", "SWIFTLET_ROOT", "HF_HOME"}
    for name in names | loads_code | ours_elsewhere:
        assert not any(re.fullmatch(pattern, name) for pattern in ALLOWED_VARIABLES), name


def verdict(world: Any, kind: str) -> tuple[str, str, str]:
    outcome = world.reconcile(kind)
    assert outcome.desired == []
    return world.condition(kind, "Accepted")  # type: ignore[no-any-return]


@pytest.mark.parametrize("allowed", [["team-*", "prod"], []])
def test_a_namespace_that_is_not_allowed(world: Any, documents: Any, allowed: list[str]) -> None:
    world.add(PROFILE, allowedNamespaces=allowed)
    for kind, prepare in zip(KINDS, (lambda: None, world.trained, world.evaluated), strict=True):
        prepare()
        world.add(documents[kind])
        status, reason, message = verdict(world, kind)
        assert (status, reason) == ("False", "NamespaceNotAllowed")
        assert "namespace default may not use ComputeProfile default" in message
        assert (", ".join(allowed) or "none") in message


@pytest.mark.parametrize("allowed", [None, ["default"], ["def*"], ["*"], ["other", "*ault"]])
def test_a_namespace_that_is_allowed(world: Any, documents: Any, allowed: list[str] | None) -> None:
    world.add(PROFILE, **({"allowedNamespaces": allowed} if allowed else {}))
    world.add(documents["FineTuneJob"])
    assert world.reconcile("FineTuneJob").desired


@pytest.mark.parametrize(
    ("limits", "asked", "message"),
    [
        ({"nodes": 2}, {"parallelism": {"nodes": 4}}, "spec.parallelism.nodes 4 is more than limits.nodes 2"),
        ({"gpus": 1}, {"compute": {"gpus": 2}}, "spec.compute.gpus 2 is more than limits.gpus 1"),
        ({"gpus": 1}, {"compute": {"gpus": 2, "resources": {"limits": {"nvidia.com/gpu": 2}}}}, "2 is more"),
        (
            {"resources": {"memory": "8Gi"}},
            {"compute": {"resources": {"requests": {"memory": "9Gi"}}}},
            "spec.compute.resources.requests.memory 9Gi is more than limits.resources 8Gi",
        ),
        (
            {"extendedResources": ["rdma/hca"]},
            {"compute": {"resources": {"limits": {"example.com/fpga": 1}}}},
            "spec.compute.resources names example.com/fpga, and limits.extendedResources has rdma/hca",
        ),
    ],
)
def test_what_is_above_the_limits(
    world: Any, documents: Any, limits: dict[str, Any], asked: dict[str, Any], message: str
) -> None:
    world.add(PROFILE, limits=limits)
    world.add(documents["FineTuneJob"], **asked)
    status, reason, said = verdict(world, "FineTuneJob")
    assert (status, reason) == ("False", "LimitExceeded")
    assert message in said


def test_replicas_above_the_limit(world: Any, documents: Any) -> None:
    world.add(PROFILE, limits={"replicas": 2})
    world.trained()
    world.evaluated()
    world.add(documents["ModelDeployment"], replicas=3)
    assert "spec.replicas 3 is more than limits.replicas 2" in verdict(world, "ModelDeployment")[2]


def test_the_most_per_pod_is_a_limit_where_there_is_none(world: Any, documents: Any) -> None:
    for workload in workloads(world, documents, {"limits": {"resources": {"memory": "8Gi"}}}).values():
        assert all(one["resources"]["limits"] == {"memory": "8Gi"} for one in containers(workload))


@pytest.mark.parametrize(("kind", "image"), [("FineTuneJob", "trainer"), ("ModelDeployment", "server")])
def test_without_an_image_nothing_is_run(world: Any, documents: Any, kind: str, image: str) -> None:
    world.trained()
    world.evaluated()
    world.objects.pop(("FineTuneJob", "default", "bird")) if kind == "FineTuneJob" else None
    world.add(PROFILE, images={})
    world.add(documents[kind])
    status, reason, message = verdict(world, kind)
    assert (status, reason) == ("False", "ImageMissing")
    assert f"ComputeProfile default has no images.{image}; set it" in message


def test_authorities_are_waited_for(world: Any, documents: Any) -> None:
    world.add(PROFILE, caBundle={"configMapRef": {"name": "company-ca", "key": "ca.pem"}})
    world.add(documents["FineTuneJob"])
    status, reason, message = verdict(world, "FineTuneJob")
    assert (status, reason) == ("Unknown", "ReferenceNotFound")
    assert "caBundle of ComputeProfile default: ConfigMap default/company-ca does not exist" in message
    world.put({**CA, "data": {"other": "PEM"}})
    assert "has no key ca.pem" in verdict(world, "FineTuneJob")[2]
    world.put(CA)
    assert world.reconcile("FineTuneJob").desired


def test_what_needs_a_cluster_is_refused_on_one_machine(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities(provisions_claims=True, runs_containers=False, shared_network=True)
    needs = {
        "priorityClassName": "batch",
        "schedulerName": "volcano",
        "runtimeClassName": "nvidia",
        "serviceAccountName": "trainer",
        "hostUsers": False,
        "caBundle": {"configMapRef": {"name": "company-ca", "key": "ca.pem"}},
    }
    world.add(PROFILE, images={}, **needs)
    world.add(documents["FineTuneJob"])
    status, reason, message = verdict(world, "FineTuneJob")
    assert (status, reason) == ("False", "NeedsCluster")
    assert all(f"{name} of ComputeProfile default needs a cluster" in message for name in needs)
    world.add(PROFILE, images={})
    assert world.reconcile("FineTuneJob").desired, "images are for containers"


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PYTHONPATH", "PET_NNODES", "HF_HUB_OFFLINE", "HTTPS_PROXY", "tz"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        ComputeProfileSpec.model_validate({"env": [{"name": name, "value": "1"}]})
