"""Resources that another version has written, or defaulted by its CRDs."""

import copy
from typing import Any

import pytest
from swiftlet.kinds import RECONCILERS, Outcome
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.frame.invalid import decided


def _decided(world: Any, resource: dict[str, Any]) -> Outcome:
    return decided(RECONCILERS[resource["kind"]], copy.deepcopy(resource), world, world.now, world.capabilities)


def _trained(world: Any) -> dict[str, Any]:
    world.data()
    world.add(FINETUNEJOB)
    world.reconcile("FineTuneJob")
    world.job_runs("bird-train-0")
    figures = {"step": 3, "totalSteps": 3, "percent": 100}
    artifact = {"uri": "pvc://claim/artifact", "digest": "sha256:aaaa", "steps": 3}
    world.job_completes("bird-train-0", {"artifact": artifact, "progress": figures})
    world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "Succeeded")[1] == "Trained"
    return dict(world.objects["FineTuneJob", "default", "bird"])


FINETUNEJOB = {
    "apiVersion": "swiftlet.dev/v1alpha1",
    "kind": "FineTuneJob",
    "metadata": {"name": "bird"},
    "spec": {"model": {"uri": "hf://org/model"}, "datasets": [{"uri": "configmap://bird-data/train.jsonl"}]},
}


def test_defaults_of_newer_crds_change_nothing_and_are_told(world: Any) -> None:
    world.data()
    resource = world.add(FINETUNEJOB)
    before = _decided(world, resource)
    resource["spec"]["training"]["sparkle"] = False
    resource["spec"]["mesh"] = {"racks": 1}
    after = _decided(world, resource)
    assert after.desired == before.desired and after.events == before.events
    message = (find_condition({"status": after.status}, "Accepted") or {})["message"]
    assert "spec.training.sparkle, spec.mesh: unknown to this operator (0.1.0) and without effect" in message
    assert _decided(world, {**resource, "status": after.status}).status == after.status, "it comes to rest"


@pytest.mark.parametrize("place", ["status", "progress", "artifact", "condition"])
def test_a_status_of_a_later_operator_is_read_and_what_it_knows_of_the_end_stays(world: Any, place: str) -> None:
    resource = _trained(world)
    status = copy.deepcopy(resource["status"])
    parts = {"status": status, "progress": status["progress"], "artifact": status["artifact"]}
    (parts | {"condition": status["conditions"][0]})[place]["news"] = {"deep": [1]}
    found = _decided(world, {**resource, "status": status})
    assert found.desired == [] and found.status == resource["status"]


@pytest.mark.parametrize("type_", ["Accepted", "Checkpointed", "Compiled"])
def test_one_condition_that_cannot_be_read_takes_no_other_along(world: Any, type_: str) -> None:
    resource = _trained(world)
    status = copy.deepcopy(resource["status"])
    next(one for one in status["conditions"] if one["type"] == type_)["status"] = "Maybe"
    found = _decided(world, {**resource, "status": status})
    assert found.desired == [], "the run has ended and is not started again"
    assert (find_condition({"status": found.status}, "Succeeded") or {})["reason"] == "Trained"


def test_a_profile_of_newer_crds(world: Any) -> None:
    world.data()
    resource = world.add(FINETUNEJOB)
    profile = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "default"}}
    world.put({**profile, "spec": {"images": {"trainer": "r.example/t:1"}}})
    before = _decided(world, resource)
    world.put({**profile, "spec": {"images": {"trainer": "r.example/t:1", "sidecar": "x"}, "fairness": {"weight": 1}}})
    assert _decided(world, resource).desired == before.desired


def test_a_spec_that_cannot_be_read_is_told(world: Any) -> None:
    world.data()
    resource = world.add(FINETUNEJOB)
    resource["spec"]["training"]["optimizer"] = "muon"
    found = _decided(world, resource)
    accepted = find_condition({"status": found.status}, "Accepted") or {}
    assert accepted["reason"] == "Invalid" and "muon" in accepted["message"]
