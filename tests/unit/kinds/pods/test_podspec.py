"""What Pod Security Standards "restricted" asks of every planned pod. Source: kubernetes.io, pod security standards."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from swiftlet.kinds import Capabilities

PROFILE = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "default"}}
VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


def containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    names = ("initContainers", "containers", "ephemeralContainers")
    return [container for name in names for container in spec.get(name, [])]


def violations(spec: dict[str, Any]) -> Iterator[str]:
    """Rules of the standard (baseline and restricted) that a pod's spec breaks."""
    pod = spec.get("securityContext", {})
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield field
    if pod.get("sysctls") or pod.get("seLinuxOptions") or pod.get("windowsOptions"):
        yield "sysctls, SELinux or Windows options"
    for volume in spec.get("volumes", []):
        if not (set(volume) - {"name"} <= VOLUMES):
            yield f"volume {volume['name']}"
    for container in containers(spec):
        own = container.get("securityContext", {})
        where = container["name"]
        if own.get("privileged") or own.get("procMount", "Default") != "Default" or own.get("seLinuxOptions"):
            yield f"{where}: privileged"
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"{where}: allowPrivilegeEscalation"
        capabilities = own.get("capabilities", {})
        if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
            yield f"{where}: capabilities"
        if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
            yield f"{where}: runAsNonRoot"
        if own.get("runAsUser", pod.get("runAsUser")) == 0:
            yield f"{where}: runAsUser"
        profile = own.get("seccompProfile", pod.get("seccompProfile", {}))
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{where}: seccompProfile"
        if any(port.get("hostPort") for port in container.get("ports", [])):
            yield f"{where}: hostPort"


@pytest.fixture
def pods(world: Any, documents: Any) -> list[dict[str, Any]]:
    """Templates of every kind, with all that a cluster may add to them."""
    world.capabilities = Capabilities(provisions_claims=True, progress_url="http://operator:8080/progress")
    network = {"socketInterface": "net1", "rdma": {"resourceName": "rdma/hca"}, "attachments": ["fast"]}
    limits = {"limits": {"cpu": 4, "memory": "8Gi"}}
    world.add(PROFILE, network=network, storage={"modelsClaim": "mirror"}, resources=limits)
    world.add(documents["FineTuneJob"], parallelism={"nodes": 2}, compute={"gpus": 2})
    world.reconcile("FineTuneJob")
    world.trained()
    world.add(documents["EvalRun"])
    world.reconcile("EvalRun")
    world.evaluated()
    key = {"secretRef": {"name": "keys", "key": "token"}}
    world.add(documents["ModelDeployment"], api={"apiKey": key}, replicas=2)
    world.reconcile("ModelDeployment")
    found = [o["spec"]["template"] for o in world.objects.values() if o["kind"] in ("Job", "Deployment")]
    assert len(found) == 3
    return found


def test_restricted(pods: list[dict[str, Any]]) -> None:
    for template in pods:
        assert list(violations(template["spec"])) == []
        assert template["spec"]["automountServiceAccountToken"] is False
        assert all(container["securityContext"]["readOnlyRootFilesystem"] for container in containers(template["spec"]))


@pytest.mark.parametrize(
    ("pod", "container", "rule"),
    [
        ({"hostNetwork": True}, {}, "hostNetwork"),
        ({"volumes": [{"name": "etc", "hostPath": {"path": "/etc"}}]}, {}, "volume etc"),
        ({"securityContext": {"runAsUser": 1000}}, {}, "train: runAsNonRoot"),
        ({}, {"securityContext": {"privileged": True}}, "train: privileged"),
        ({}, {"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["IPC_LOCK"]}}}, "train: capabilities"),
        ({}, {"ports": [{"containerPort": 80, "hostPort": 80}]}, "train: hostPort"),
    ],
)
def test_the_rules_find_what_breaks_them(
    pods: list[dict[str, Any]], pod: dict[str, Any], container: dict[str, Any], rule: str
) -> None:
    spec = copy.deepcopy(pods[0]["spec"])
    spec |= pod
    spec["containers"][0] |= container
    assert rule in list(violations(spec))


def test_every_mount_has_its_volume_and_its_own_place(pods: list[dict[str, Any]]) -> None:
    for template in pods:
        spec = template["spec"]
        volumes = [volume["name"] for volume in spec["volumes"]]
        assert len(volumes) == len(set(volumes))
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            paths = [mount["mountPath"] for mount in container["volumeMounts"]]
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted == ({"artifacts"} if container["name"] == "folder" else set(volumes))
            assert not [(a, b) for a in paths for b in paths if a != b and b.startswith(f"{a}/")]
            assert len(paths) == len(set(paths))


def test_writable_places_of_a_read_only_root(pods: list[dict[str, Any]]) -> None:
    for template in pods:
        writable = {m["mountPath"] for m in template["spec"]["containers"][0]["volumeMounts"] if not m.get("readOnly")}
        assert writable >= {"/swiftlet/run", "/dev/shm", "/tmp"}  # noqa: S108


def test_pods_carry_the_owner(pods: list[dict[str, Any]]) -> None:
    for template in pods:
        labels = template["metadata"]["labels"]
        assert labels["swiftlet.dev/owner-uid"]
        assert labels["app.kubernetes.io/managed-by"] == "swiftlet"
        assert "app.kubernetes.io/instance" not in labels
