"""What Pod Security Standards "restricted" asks of every planned pod. Source: kubernetes.io, pod security standards."""

from typing import Any

import pytest


@pytest.fixture
def pods(world: Any, documents: Any) -> list[dict[str, Any]]:
    world.add(documents["FineTuneJob"])
    world.reconcile("FineTuneJob")
    world.trained()
    world.add(documents["EvalRun"])
    world.reconcile("EvalRun")
    world.evaluated()
    world.add(documents["ModelDeployment"])
    world.reconcile("ModelDeployment")
    found = [o["spec"]["template"] for o in world.objects.values() if o["kind"] in ("Job", "Deployment")]
    assert len(found) == 3
    return found


def test_restricted(pods: list[dict[str, Any]]) -> None:
    for template in pods:
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }


def test_every_mount_has_its_volume_and_its_own_place(pods: list[dict[str, Any]]) -> None:
    for template in pods:
        spec = template["spec"]
        volumes = [volume["name"] for volume in spec["volumes"]]
        assert len(volumes) == len(set(volumes))
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            paths = [mount["mountPath"] for mount in container["volumeMounts"]]
            assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
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
