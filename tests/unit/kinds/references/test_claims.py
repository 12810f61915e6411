from typing import Any

import pytest
from swiftlet.api.v1alpha1.computeprofile import Storage
from swiftlet.kinds import Capabilities
from swiftlet.kinds.references.claims import artifacts_claim, unbound_claims

PROFILE = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "default"}}
CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "swiftlet-artifacts"}}
WAITS = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
}


@pytest.fixture
def cluster(world: Any) -> Any:
    """Claims do not come to be by themselves, and the profile says of which class to make one."""
    world.capabilities = Capabilities()
    world.add(PROFILE, storage={"artifactsStorageClass": "shared", "artifactsSize": "1Ti"})
    return world


def made(outcome: Any) -> list[dict[str, Any]]:
    return [manifest for manifest in outcome.desired if manifest["kind"] == "PersistentVolumeClaim"]


def test_a_missing_claim_is_made_and_belongs_to_nobody(cluster: Any, documents: Any) -> None:
    cluster.add(documents["FineTuneJob"])
    (claim,) = made(cluster.reconcile("FineTuneJob"))
    assert claim["spec"] == {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "shared",
        "resources": {"requests": {"storage": "1Ti"}},
    }
    assert "ownerReferences" not in claim["metadata"]
    assert "swiftlet.dev/owner-uid" not in claim["metadata"]["labels"]
    assert claim["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "swiftlet"
    assert cluster.condition("FineTuneJob", "Accepted")[:2] == ("True", "Planned")
    assert made(cluster.reconcile("FineTuneJob")) == []


def test_a_claim_that_is_there_is_left_alone(cluster: Any, documents: Any) -> None:
    cluster.put({**CLAIM, "spec": {"storageClassName": "somebody-elses"}})
    cluster.trained()
    cluster.add(documents["EvalRun"])
    assert made(cluster.reconcile("EvalRun")) == []


def test_an_evaluation_makes_it_too(cluster: Any, documents: Any) -> None:
    cluster.trained(uri="pvc://elsewhere/artifact")
    cluster.put({**CLAIM, "metadata": {"name": "elsewhere"}})
    cluster.add(documents["EvalRun"])
    assert len(made(cluster.reconcile("EvalRun"))) == 1


def test_nothing_is_made_for_a_job_that_is_refused(cluster: Any, documents: Any) -> None:
    cluster.add(documents["FineTuneJob"], datasets=[{"uri": "configmap://nothing/a.jsonl"}])
    assert cluster.reconcile("FineTuneJob").desired == []


def test_without_a_class_somebody_has_to_create_it(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities()
    world.add(documents["FineTuneJob"])
    assert made(world.reconcile("FineTuneJob")) == []
    status, reason, message = world.condition("FineTuneJob", "Accepted")
    assert (status, reason) == ("Unknown", "ReferenceNotFound")
    assert "does not exist; create it, or set storage.artifactsStorageClass there" in message


def test_a_local_engine_makes_its_own(world: Any, documents: Any) -> None:
    world.add(PROFILE, storage={"artifactsStorageClass": "shared"})
    world.add(documents["FineTuneJob"])
    assert made(world.reconcile("FineTuneJob")) == []


def test_a_server_that_reads_no_artifact_needs_no_claim(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities()
    world.add({**documents["ModelDeployment"], "spec": {"model": {"uri": "hf://org/model"}}})
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Accepted")[:2] == ("True", "Planned")


def test_a_class_is_needed() -> None:
    with pytest.raises(ValueError, match="artifactsStorageClass"):
        artifacts_claim(Storage(), "team")
    claim = artifacts_claim(Storage(artifacts_storage_class="x"), "team")
    assert claim["spec"]["resources"]["requests"]["storage"] == "100Gi"


@pytest.mark.parametrize("kind", ["FineTuneJob", "EvalRun"])
def test_a_claim_without_a_volume_is_told(cluster: Any, documents: Any, kind: str) -> None:
    cluster.trained(uri="pvc://elsewhere/artifact") if kind == "EvalRun" else None
    cluster.put({**CLAIM, "metadata": {"name": "elsewhere"}})
    cluster.add(documents[kind])
    cluster.reconcile(kind)
    claim = cluster.objects["PersistentVolumeClaim", "default", "swiftlet-artifacts"]
    claim["status"] = {"phase": "Pending"}
    job = next(item for item in cluster.objects.values() if item["kind"] == "Job")
    pod = cluster.pod(job, 0, {"waiting": {"reason": "ContainerCreating"}}, conditions=[WAITS])
    pod["spec"] = job["spec"]["template"]["spec"]
    assert list(unbound_claims([pod], cluster)) == ["swiftlet-artifacts"]
    outcome = cluster.reconcile(kind)
    status, reason, message = cluster.condition(kind, "Running")
    assert (status, reason) == ("False", "VolumePending")
    assert "PersistentVolumeClaim swiftlet-artifacts is Pending: 1Ti, ReadWriteMany, StorageClass shared" in message
    assert "unbound immediate PersistentVolumeClaims" in message
    assert cluster.condition(kind, "Succeeded")[:2] == ("Unknown", "VolumePending")
    if kind == "FineTuneJob":
        assert "PodCannotStart" in [event.reason for event in outcome.events]
    claim["status"] = {"phase": "Bound"}
    assert unbound_claims([pod], cluster) == {}
