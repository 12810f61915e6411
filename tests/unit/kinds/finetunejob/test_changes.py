"""What may be changed between two attempts, when it takes effect, and when it is refused."""

import copy
from typing import Any

import pytest
from swiftlet.api.schema.validation import validate_update
from swiftlet.api.v1alpha1.finetunejob import CHANGEABLE

LESS = {"compute": {"resources": {"limits": {"memory": "16Gi"}}}, "training": {"perDeviceBatchSize": 2}}
BIRD = ("FineTuneJob", "default", "bird")


def start(world: Any, documents: Any, **spec: Any) -> None:
    world.data()
    world.add(documents["FineTuneJob"], **spec)
    world.reconcile("FineTuneJob")


def edit(world: Any, changes: dict[str, Any]) -> None:
    """As `kubectl edit` does; refused edits fail the test."""
    stored = world.objects[BIRD]
    changed = copy.deepcopy(stored)
    for part, fields in changes.items():
        changed["spec"][part] = {**changed["spec"][part], **fields} if isinstance(fields, dict) else fields
    assert validate_update(stored, changed) == []
    stored["spec"] = changed["spec"]
    stored["metadata"]["generation"] += 1


def memory_of(world: Any, job: str) -> Any:
    containers = world.objects["Job", "default", job]["spec"]["template"]["spec"]["containers"]
    return containers[0]["resources"].get("limits", {}).get("memory")


def suspended(world: Any, job: str) -> None:
    """The Job controller has stopped the pods."""
    for key in [key for key in world.objects if key[0] == "Pod"]:
        del world.objects[key]
    since = {"type": "Suspended", "status": "True", "lastTransitionTime": world.now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    world.objects["Job", "default", job]["status"].update(active=0, ready=0, terminating=0, conditions=[since])


def oom(world: Any, job: str) -> None:
    world.job_runs(job)
    world.reconcile("FineTuneJob")
    world.pod_dies(job, 137, "", reason="OOMKilled")
    world.job_fails(job)
    world.reconcile("FineTuneJob")


def test_after_running_out_of_memory_the_next_attempt_has_what_was_raised(world: Any, documents: Any) -> None:
    start(world, documents)
    oom(world, "bird-train-0")
    assert "raise the memory limit in compute.resources" in world.condition("FineTuneJob", "Succeeded")[2]
    edit(world, LESS)
    world.pass_time(10)
    world.reconcile("FineTuneJob")
    assert memory_of(world, "bird-train-1") == "16Gi"
    assert world.status("FineTuneJob")["plan"]["perDeviceBatchSize"] == 2
    assert world.status("FineTuneJob")["plan"]["gradientAccumulationSteps"] == 4


def test_a_run_that_has_failed_goes_on_when_its_limit_is_raised_and_not_before(world: Any, documents: Any) -> None:
    start(world, documents, backoffLimit=0)
    oom(world, "bird-train-0")
    assert world.condition("FineTuneJob", "Succeeded")[:2] == ("False", "BackoffLimitExceeded")
    edit(world, LESS)
    world.pass_time(1000)
    assert world.reconcile("FineTuneJob").desired == [], "an edit alone starts nothing"
    edit(world, {"backoffLimit": 1})
    world.reconcile("FineTuneJob")
    assert memory_of(world, "bird-train-1") == "16Gi"


def test_a_suspended_run_is_made_again_with_what_was_changed(world: Any, documents: Any) -> None:
    start(world, documents)
    world.job_runs("bird-train-0")
    world.reconcile("FineTuneJob")
    edit(world, {"suspend": True})
    world.reconcile("FineTuneJob")
    suspended(world, "bird-train-0")
    world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "Suspended")[0] == "True"
    edit(world, LESS)
    outcome = world.reconcile("FineTuneJob")
    assert [ref.name for ref in outcome.delete] == ["bird-train-0"] and outcome.desired == []
    assert world.reconcile("FineTuneJob").desired == [], "it is still suspended"
    edit(world, {"suspend": False})
    world.reconcile("FineTuneJob")
    assert memory_of(world, "bird-train-0") == "16Gi"
    assert world.status("FineTuneJob")["restarts"] == {"user": 0, "infrastructure": 0}


def test_a_pod_that_no_node_takes_can_ask_for_less(world: Any, documents: Any) -> None:
    start(world, documents, compute={"resources": {"requests": {"memory": "9Ti"}}})
    edit(world, {"compute": {"resources": {"requests": {"memory": "1Gi"}}}})
    assert [ref.name for ref in world.reconcile("FineTuneJob").delete] == ["bird-train-0"]
    world.reconcile("FineTuneJob")
    pod = world.objects["Job", "default", "bird-train-0"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["requests"]["memory"] == "1Gi"


@pytest.mark.parametrize("changes", [LESS, {"training": {"gradientCheckpointing": True}}])
def test_while_an_attempt_runs_it_is_refused_with_the_remedy(
    world: Any, documents: Any, changes: dict[str, Any]
) -> None:
    start(world, documents)
    world.job_runs("bird-train-0")
    world.reconcile("FineTuneJob")
    stored = world.objects[BIRD]
    changed = {
        **stored,
        "spec": {**stored["spec"], **{part: {**stored["spec"][part], **changes[part]} for part in changes}},
    }
    problems = validate_update(stored, changed)
    assert {problem.rule.partition(" (")[0] for problem in problems} == {"cannot be changed now"}
    assert "set suspend to true, change them when the condition Suspended is True" in problems[0].remedy
    edit(world, {"suspend": True, "backoffLimit": 7})


def test_what_changes_what_is_learnt_cannot_be_changed(world: Any, documents: Any) -> None:
    stored = world.add(documents["FineTuneJob"])
    training = {"epochs": 5, "globalBatchSize": 16, "learningRate": 0.5, "seed": 7, "optimizer": "adafactor"}
    for name, value in training.items():
        changed = copy.deepcopy(stored)
        changed["spec"]["training"][name] = value
        (problem,) = validate_update(stored, changed)
        assert problem.field == f"spec.training.{name}" and "immutable" in problem.rule
    for part, fields in {"template": {"maxLength": 64}, "compute": {"gpus": 1}}.items():
        changed = copy.deepcopy(stored)
        changed["spec"][part] |= fields
        assert validate_update(stored, changed) != []
    assert "maxLength" not in str(CHANGEABLE)


def test_an_attempt_of_an_operator_that_did_not_note_it_is_left_alone(world: Any, documents: Any) -> None:
    start(world, documents)
    annotations = world.objects["Job", "default", "bird-train-0"]["metadata"]["annotations"]
    del annotations["swiftlet.dev/changeable-digest"]
    edit(world, LESS)
    assert world.reconcile("FineTuneJob").delete == []
