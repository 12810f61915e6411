"""Jobs and Deployments whose pods are refused."""

from datetime import timedelta
from typing import Any

import pytest
from swiftlet.kinds.conditions.timestamps import to_text
from swiftlet.kinds.frame.reading import Complaint
from swiftlet.kinds.observing.unmade import LONGEST_PAUSE, LOOK_AGAIN, PATIENCE, replica_failure, unmade_pods

QUOTA = "exceeded quota: pods, requested: pods=1, used: pods=0, limited: pods=0"
JOB = "bird-train-0"


def _job(world: Any, **spec: Any) -> Any:
    metadata = {"name": JOB, "creationTimestamp": to_text(world.now)}
    return world.put({"kind": "Job", "metadata": metadata, "spec": {"parallelism": 1, **spec}})


def _pod(world: Any, phase: str = "Running") -> Any:
    return {"metadata": {"name": "p", "creationTimestamp": to_text(world.now)}, "status": {"phase": phase}}


def _says(world: Any, words: str = QUOTA) -> None:
    world.complaints[JOB] = Complaint(to_text(world.now), words)


def test_its_controller_is_given_a_moment_and_then_asked(world: Any) -> None:
    job = _job(world)
    _says(world)
    soon = unmade_pods(job, [], world, world.now)
    assert soon is not None
    assert (soon.refusal, soon.again) == (None, PATIENCE)
    world.pass_time(PATIENCE)
    found = unmade_pods(job, [], world, world.now)
    assert found is not None
    assert found.again == LOOK_AGAIN
    assert found.refusal is not None
    assert found.refusal.reason == "QuotaExceeded"
    assert QUOTA in found.refusal.message


def test_the_longer_pods_are_missing_the_seldomer_it_is_asked(world: Any) -> None:
    job, pauses = _job(world), []
    for _ in range(20):
        found = unmade_pods(job, [], world, world.now)
        assert found is not None
        pauses.append(found.again)
        world.pass_time(found.again)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[1], pauses[-1]) == (PATIENCE, LOOK_AGAIN, LONGEST_PAUSE)
    assert sum(pauses[:12]) > 900, "at most a dozen looks in the first quarter of an hour"


def test_a_part_of_the_pods_may_be_missing(world: Any) -> None:
    job = _job(world, parallelism=2)
    world.pass_time(60)
    pod = _pod(world)
    world.pass_time(60)
    _says(world)
    assert unmade_pods(job, [pod], world, world.now) is not None
    assert unmade_pods(job, [pod, pod], world, world.now) is None


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ({"suspend": True}, {}),
        ({"managedBy": "kueue.x-k8s.io/multikueue"}, {}),
        ({}, {"conditions": [{"type": "Suspended", "status": "True"}]}),
        ({}, {"conditions": [{"type": "Failed", "status": "True"}]}),
        ({"completions": 1}, {"succeeded": 1}),
    ],
)
def test_of_a_job_that_wants_no_pods_none_are_missing(world: Any, spec: Any, status: Any) -> None:
    job = {**_job(world, **spec), "status": status}
    _says(world)
    world.pass_time(60)
    assert unmade_pods(job, [], world, world.now) is None


@pytest.mark.parametrize("event", ["a pod was made since", "the Job was resumed since"])
def test_what_was_overcome_is_not_told(world: Any, event: str) -> None:
    job = _job(world)
    _says(world)
    world.pass_time(60)
    pods = []
    if event == "the Job was resumed since":
        job["status"] = {"startTime": to_text(world.now)}
    else:
        pods = [_pod(world, "Failed")]  # its replacement is awaited
    world.pass_time(60)
    found = unmade_pods(job, pods, world, world.now)
    assert found is not None
    assert found.refusal is None


def test_a_deployment_says_it_itself() -> None:
    words = 'pods "bird-serve-6d" is forbidden: violates PodSecurity "restricted:latest": privileged'
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": words}
    found = replica_failure({"status": {"conditions": [condition]}})
    assert found is not None
    assert found.reason == "PolicyDenied"
    assert replica_failure({"status": {"conditions": [{**condition, "status": "False"}]}}) is None
    assert replica_failure(None) is None


def test_a_run_says_it_in_its_conditions_and_one_event(world: Any, documents: Any) -> None:
    world.add(documents["FineTuneJob"])
    world.reconcile("FineTuneJob")
    job = world.objects["Job", "default", JOB]
    job["metadata"]["creationTimestamp"] = to_text(world.now)
    world.now += timedelta(seconds=PATIENCE)
    _says(world)
    outcome = world.reconcile("FineTuneJob")
    for type_, status in (("PodsReady", "False"), ("Running", "False"), ("Succeeded", "Unknown")):
        assert world.condition("FineTuneJob", type_)[:2] == (status, "QuotaExceeded")
        assert QUOTA in world.condition("FineTuneJob", type_)[2]
    assert [event.reason for event in outcome.events] == ["PodCannotStart"]
    assert outcome.requeue_after == LOOK_AGAIN
    world.job_runs(JOB)
    world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "PodsReady")[0] == "True"


def test_an_evaluation_says_it(world: Any, documents: Any) -> None:
    target = {"model": {"uri": "pvc://models/bird"}}
    world.add({**documents["EvalRun"], "spec": {**documents["EvalRun"]["spec"], "baseline": None}}, target=target)
    world.reconcile("EvalRun")
    job = next(item for (kind, _, _), item in world.objects.items() if kind == "Job")
    job["metadata"]["creationTimestamp"] = to_text(world.now)
    world.now += timedelta(seconds=PATIENCE)
    world.complaints[job["metadata"]["name"]] = Complaint(to_text(world.now), QUOTA)
    outcome = world.reconcile("EvalRun")
    assert world.condition("EvalRun", "Running")[:2] == ("False", "QuotaExceeded")
    assert world.condition("EvalRun", "Succeeded")[:2] == ("Unknown", "QuotaExceeded")
    assert [event.reason for event in outcome.events] == ["PodCannotStart"]
