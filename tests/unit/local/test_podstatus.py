"""Phase and conditions of a pod."""

from typing import Any

import pytest
from swiftlet.local.podstatus import ContainerRecord, phase_of, pod_status


def record(state: str | int, ready: bool = False, ran_before: bool = False) -> ContainerRecord:
    states: dict[Any, dict[str, Any]] = {"waiting": {"waiting": {"reason": "x"}}, "running": {"running": {}}}
    given = states.get(state, {"terminated": {"exitCode": state}})
    return ContainerRecord("c", state=given, ready=ready, last_state={"terminated": {}} if ran_before else {})


@pytest.mark.parametrize(
    ("init", "main", "policy", "phase"),
    [
        ([], ["waiting"], "Never", "Pending"),
        (["running"], ["waiting"], "Never", "Pending"),
        ([1], ["waiting"], "Never", "Failed"),
        ([1], ["waiting"], "Always", "Pending"),
        ([0], ["running"], "Never", "Running"),
        ([0], [0], "Never", "Succeeded"),
        ([], [0, 1], "Never", "Failed"),
        ([], [0, "running"], "Never", "Running"),
        ([], [1], "OnFailure", "Running"),
        ([], [0], "OnFailure", "Succeeded"),
        ([], [0], "Always", "Running"),
    ],
)
def test_phase(init: list[Any], main: list[Any], policy: str, phase: str) -> None:
    assert phase_of([record(s) for s in init], [record(s) for s in main], policy) == phase


def test_a_container_that_waits_to_run_again_leaves_the_pod_running() -> None:
    assert phase_of([], [record("waiting", ran_before=True)], "Always") == "Running"


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {c["type"]: (c["status"], c.get("reason")) for c in status["conditions"]}


def test_a_pod_is_ready_when_its_containers_are() -> None:
    unready = pod_status({}, [], [record("running")], "Always")
    assert conditions(unready)["Ready"] == ("False", "ContainersNotReady")
    ready = pod_status(unready, [], [record("running", ready=True)], "Always")
    assert conditions(ready)["Ready"] == ("True", None) == conditions(ready)["ContainersReady"]


def test_a_shortage_is_the_unschedulable_condition() -> None:
    status = pod_status({}, [], [record("waiting")], "Never", shortage="0/1 nodes are available: Insufficient cpu")
    assert conditions(status)["PodScheduled"] == ("False", "Unschedulable")
    assert "Insufficient cpu" in status["conditions"][0]["message"] and "startTime" not in status


def test_an_ending_from_outside_is_a_disruption() -> None:
    ending = {"phase": "Failed", "reason": "Terminated", "message": "words", "disruption": "TerminationByKubelet"}
    status = pod_status({}, [], [record(143)], "Never", ending=ending)
    assert status["phase"] == "Failed" and status["reason"] == "Terminated"
    assert conditions(status)["DisruptionTarget"] == ("True", "TerminationByKubelet")


def test_times_of_conditions_move_only_with_their_status() -> None:
    old = pod_status({}, [], [record("running")], "Always")
    for condition in old["conditions"]:
        condition["lastTransitionTime"] = "2020-01-01T00:00:00Z"
    new = pod_status(old, [], [record("running", ready=True)], "Always")
    times = {c["type"]: c["lastTransitionTime"] for c in new["conditions"]}
    assert times["PodScheduled"] == "2020-01-01T00:00:00Z" != times["Ready"]
    assert new["startTime"] == old["startTime"]
