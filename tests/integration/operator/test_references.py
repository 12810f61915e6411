"""What a document names: waited for, gone on with, and never taken from somebody else."""

from collections.abc import Callable
from typing import Any

from testbed.operator_process import OperatorProcess

Object = dict[str, Any]
Job = Callable[..., Object]


def test_a_missing_config_map_is_waited_for(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird", datasets=[{"uri": "configmap://later/train.jsonl"}]))
    place.await_condition("FineTuneJob", "bird", "Accepted", "Unknown", "ReferenceNotFound")
    assert place.children(uid) == {}
    place.core.create_namespaced_config_map(place.namespace, {"metadata": {"name": "later"}, "data": {"other": "{}"}})
    place.wait(lambda: "has no key train.jsonl" in _message(place, "bird"), "the key is missing")
    place.core.patch_namespaced_config_map("later", place.namespace, {"data": {"train.jsonl": "{}"}})
    place.await_children(uid, "NetworkPolicy", "Job")
    place.await_condition("FineTuneJob", "bird", "Accepted", "True", "Planned")
    place.wait(lambda: place.events("bird").get("Waiting") == 1, "the event")


def test_a_profile_that_comes_later_wakes_those_that_name_it(operator: OperatorProcess, place: Any, job: Job) -> None:
    name = f"profile-{place.namespace}"
    uid = place.create(job("bird", compute={"profileRef": {"name": name}}))
    place.await_condition("FineTuneJob", "bird", "Accepted", "Unknown", "ReferenceNotFound")
    profile = {
        "apiVersion": "swiftlet.dev/v1alpha1",
        "kind": "ComputeProfile",
        "metadata": {"name": name},
        "spec": {"images": {"trainer": "example.org/trainer:1"}},
    }
    place.custom.create_cluster_custom_object("swiftlet.dev", "v1alpha1", "computeprofiles", profile)
    found = place.await_children(uid, "Job")["Job"][0]
    assert found.spec.template.spec.containers[0].image == "example.org/trainer:1"
    place.custom.delete_cluster_custom_object("swiftlet.dev", "v1alpha1", "computeprofiles", name)


def test_an_evaluation_follows_its_training(operator: OperatorProcess, place: Any, job: Job) -> None:
    run = {
        "apiVersion": "swiftlet.dev/v1alpha1",
        "kind": "EvalRun",
        "metadata": {"name": "bird"},
        "spec": {
            "target": {"fineTuneJobRef": {"name": "bird"}},
            "suites": [{"generation": {"uri": "configmap://rows/train.jsonl", "metrics": ["contains"]}}],
        },
    }
    evaluation = place.create(run)
    place.await_condition("EvalRun", "bird", "Accepted", "Unknown", "ReferenceNotFound")
    training = place.create(job("bird"))
    place.await_condition("EvalRun", "bird", "Accepted", "Unknown", "WaitingForFineTuneJob")
    place.play(training)
    place.await_condition("FineTuneJob", "bird", "Succeeded", "True", "Trained")
    place.play(evaluation)
    place.await_condition("EvalRun", "bird", "Succeeded", "True", "Evaluated")


def test_nothing_of_others_is_overwritten(operator: OperatorProcess, place: Any, job: Job) -> None:
    theirs = {"metadata": {"name": "bird-train"}, "spec": {"podSelector": {"matchLabels": {"mine": "yes"}}}}
    place.networking.create_namespaced_network_policy(place.namespace, theirs)
    uid = place.create(job("bird"))
    place.await_condition("FineTuneJob", "bird", "Accepted", "False", "NameConflict")
    place.await_rest()
    assert place.children(uid) == {}
    kept = place.networking.read_namespaced_network_policy("bird-train", place.namespace)
    assert kept.spec.pod_selector.match_labels == {"mine": "yes"}
    assert (kept.metadata.owner_references, kept.metadata.labels) == (None, None)
    place.networking.delete_namespaced_network_policy("bird-train", place.namespace)
    place.await_children(uid, "NetworkPolicy", "Job")
    place.await_condition("FineTuneJob", "bird", "Accepted", "True", "Planned")


def _message(place: Any, name: str) -> str:
    conditions = place.get("FineTuneJob", name)["status"]["conditions"]
    return str(next(found["message"] for found in conditions if found["type"] == "Accepted"))
