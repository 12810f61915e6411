from typing import Any

import pytest
from swiftlet.kinds import Capabilities


def accepted(world: Any, documents: Any, **spec: Any) -> tuple[str, str, str]:
    world.add(documents["FineTuneJob"], **spec)
    world.reconcile("FineTuneJob")
    return world.condition("FineTuneJob", "Accepted")


@pytest.mark.parametrize(
    ("spec", "reason", "said"),
    [
        ({"model": {"uri": "file:///models/a"}}, "LocalPathNotAllowed", "spec.model.uri file:///models/a"),
        ({"datasets": [{"uri": "./a.jsonl"}]}, "LocalPathNotAllowed", "spec.datasets[0].uri ./a.jsonl"),
        ({"datasets": [{"uri": "hf://org/rows/a.jsonl"}]}, "MirrorRequired", "storage.modelsClaim"),
        ({"model": {"uri": "pvc://models/../../etc"}}, "InvalidUri", "`..`"),
        ({"model": {"uri": "hf://../.."}}, "InvalidUri", "`..`"),
        ({"compute": {"gpus": 1, "resources": {"limits": {"nvidia.com/gpu": 2}}}}, "InvalidPlan", "spec.compute.gpus"),
    ],
)
def test_refusals_name_field_and_remedy(world: Any, documents: Any, spec: Any, reason: str, said: str) -> None:
    status, found, message = accepted(world, documents, **spec)
    assert (status, found) == ("False", reason)
    assert said in message


def test_all_obstacles_are_told_at_once_and_refusals_first(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities()
    status, reason, message = accepted(
        world,
        documents,
        datasets=[{"uri": "configmap://nothing/a.jsonl"}, {"uri": "file:///a.jsonl"}],
        compute={"profileRef": {"name": "nowhere"}},
        parallelism={"nodes": 3},
    )
    assert (status, reason) == ("False", "InvalidPlan")
    for part in ("ConfigMap default/nothing", "file:///a.jsonl", "ComputeProfile nowhere", "not divisible by 3"):
        assert part in message
    assert "PersistentVolumeClaim default/swiftlet-artifacts does not exist" in message


def test_local_paths_where_the_engine_allows_them(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities(host_paths=True, provisions_claims=True)
    found = accepted(world, documents, model={"uri": "/models/a"}, datasets=[{"uri": "file:///rows/a.jsonl"}])
    assert found[:2] == ("True", "Planned")
    volumes = world.objects["Job", "default", "bird-train-0"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "model", "hostPath": {"path": "/models/a", "type": "Directory"}} in volumes
    assert {"name": "data-0", "hostPath": {"path": "/rows/a.jsonl", "type": "File"}} in volumes


def test_a_relative_path_is_refused_even_there(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities(host_paths=True, provisions_claims=True)
    assert accepted(world, documents, model={"uri": "models/a"})[1] == "InvalidUri"


def test_a_key_that_a_config_map_lacks(world: Any, documents: Any) -> None:
    status, reason, message = accepted(world, documents, datasets=[{"uri": "configmap://bird-data/other.jsonl"}])
    assert (status, reason) == ("Unknown", "ReferenceNotFound")
    assert "has no key other.jsonl; it has test.jsonl, train.jsonl" in message


def test_claims_must_exist_where_nobody_provides_them(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities()
    assert accepted(world, documents)[:2] == ("Unknown", "ReferenceNotFound")
    world.put({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "swiftlet-artifacts"}})
    world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "Accepted")[0] == "True"


def test_a_name_too_long_for_hostnames(world: Any, documents: Any) -> None:
    """The hundredth attempt's name is longer than the first one's."""
    name = "a" * 51
    world.add({**documents["FineTuneJob"], "metadata": {"name": name}})
    world.reconcile("FineTuneJob", name)
    assert world.condition("FineTuneJob", "Accepted", name)[0] == "True"
    world.add(
        {**documents["FineTuneJob"], "metadata": {"name": name}},
        parallelism={"nodes": 16},
        training={"globalBatchSize": 16},
    )
    world.reconcile("FineTuneJob", name)
    status, reason, message = world.condition("FineTuneJob", "Accepted", name)
    assert (status, reason) == ("False", "NameTooLong")
    assert "room for 50" in message


def asked(world: Any, documents: Any, of_document: str | None, of_profile: str | None) -> tuple[str, str, str]:
    """Accepted of a job in a world where both may ask for a backend."""
    profile = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "default"}}
    world.add(profile, **({"backend": of_profile} if of_profile else {}))
    found: tuple[str, str, str] = accepted(world, documents, **({"backend": of_document} if of_document else {}))
    return found


@pytest.mark.parametrize(
    ("of_document", "of_profile", "made"),
    [
        (None, None, "Job"),
        ("job", None, "Job"),
        ("jobSet", None, "JobSet"),
        (None, "jobSet", "JobSet"),
        ("jobSet", "jobSet", "JobSet"),
    ],
)
def test_a_document_or_its_profile_says_what_an_attempt_is_made_as(
    world: Any, documents: Any, of_document: str | None, of_profile: str | None, made: str
) -> None:
    world.served = {"JobSet"}
    assert asked(world, documents, of_document, of_profile)[0] == "True"
    kinds = {kind for kind, _, name in world.objects if name == "bird-train-0"}
    assert kinds == {made}


@pytest.mark.parametrize(("of_document", "of_profile"), [("job", "jobSet"), ("jobSet", "job")])
def test_two_backends_at_once_are_refused(world: Any, documents: Any, of_document: str, of_profile: str) -> None:
    world.served = {"JobSet"}
    status, reason, message = asked(world, documents, of_document, of_profile)
    assert (status, reason) == ("False", "InvalidPlan")
    assert f"spec.backend is {of_document}, and backend of ComputeProfile default is {of_profile}" in message


@pytest.mark.parametrize(("of_document", "of_profile"), [("jobSet", None), (None, "jobSet")])
def test_a_backend_that_is_not_installed_is_waited_for(
    world: Any, documents: Any, of_document: str | None, of_profile: str | None
) -> None:
    status, reason, message = asked(world, documents, of_document, of_profile)
    assert (status, reason) == ("Unknown", "BackendMissing")
    assert "the operator sees no JobSets; install JobSet" in message and "docs/how-to/jobset.md" in message
    assert not [name for _, _, name in world.objects if name.startswith("bird-train")]
    world.served = {"JobSet"}
    world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "Accepted")[0] == "True"


def test_processes_of_one_machine_are_made_by_jobs(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities(provisions_claims=True, runs_containers=False, extra_backends=False)
    status, reason, message = asked(world, documents, "jobSet", None)
    assert (status, reason) == ("False", "NeedsCluster")
    assert "spec.backend jobSet needs a cluster" in message


def test_pods_of_a_jobset_have_longer_names(world: Any, documents: Any) -> None:
    """JobSet checks the pod's name, `<jobset>-<role>-<job>-<index>-<five letters>`, and not the hostname alone."""
    world.served = {"JobSet"}
    for length, status in ((35, "True"), (36, "False")):
        name = "a" * length
        world.add({**documents["FineTuneJob"], "metadata": {"name": name}}, backend="jobSet")
        world.reconcile("FineTuneJob", name)
        assert world.condition("FineTuneJob", "Accepted", name)[0] == status
    assert len(f"{'a' * 35}-train-999-trainer-0-0-abcde") == 63


def test_secrets_of_trackers_are_looked_for_where_secrets_can_be_read(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities(provisions_claims=True, reads_secrets=True, runs_containers=False)
    mlflow = {"trackingUri": "http://mlflow", "secretRef": {"name": "m"}}
    asked = {"reportTo": {"mlflow": mlflow, "wandb": {"secretRef": {"name": "w"}}}}
    status, reason, message = accepted(world, documents, training=asked)
    assert (status, reason) == ("Unknown", "ReferenceNotFound")
    assert "spec.training.reportTo.mlflow.secretRef: Secret default/m does not exist" in message
    assert "spec.training.reportTo.wandb.secretRef: Secret default/w does not exist" in message
    for name in "mw":
        data = {"MLFLOW_TRACKING_TOKEN": "eA=="}
        world.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data})
    world.reconcile("FineTuneJob")
    message = world.condition("FineTuneJob", "Accepted")[2]
    assert message == "spec.training.reportTo.wandb.secretRef: Secret default/w has no key WANDB_API_KEY; add it"
