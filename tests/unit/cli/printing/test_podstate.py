"""The word that says how a pod is; the cases are kubectl's."""

from typing import Any

import pytest
from swiftlet.cli.printing.podstate import ready_count, restarts, state_word


def pod(status: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    spec = {"initContainers": [{"name": "prepare"}], "containers": [{"name": "train"}]}
    return {"metadata": {"name": "p", **metadata}, "spec": spec, "status": status}


def ended(code: int, reason: str | None = None) -> dict[str, Any]:
    return {"state": {"terminated": {"exitCode": code, **({"reason": reason} if reason else {})}}}


RUNNING: dict[str, Any] = {"state": {"running": {}}}
WAITING = {"state": {"waiting": {"reason": "PodInitializing"}}}


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ({}, "Pending"),
        ({"phase": "Pending", "initContainerStatuses": [RUNNING]}, "Init:0/1"),
        ({"phase": "Failed", "initContainerStatuses": [ended(2, "Error")]}, "Init:Error"),
        ({"phase": "Failed", "initContainerStatuses": [ended(2)]}, "Init:ExitCode:2"),
        (
            {"phase": "Pending", "initContainerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]},
            "Init:ErrImagePull",
        ),
        ({"phase": "Running", "initContainerStatuses": [ended(0)], "containerStatuses": [RUNNING]}, "Running"),
        ({"phase": "Pending", "initContainerStatuses": [ended(0)], "containerStatuses": [WAITING]}, "PodInitializing"),
        ({"phase": "Succeeded", "containerStatuses": [ended(0, "Completed")]}, "Completed"),
        ({"phase": "Failed", "containerStatuses": [ended(137, "OOMKilled")]}, "OOMKilled"),
        ({"phase": "Failed", "containerStatuses": [ended(3)]}, "ExitCode:3"),
        (
            {"phase": "Running", "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]},
            "CrashLoopBackOff",
        ),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
    ],
)
def test_state_words(status: dict[str, Any], word: str) -> None:
    assert state_word(pod(status)) == word


def test_a_pod_that_was_told_to_go_is_terminating() -> None:
    going = pod({"phase": "Running", "containerStatuses": [RUNNING]}, deletionTimestamp="2026-01-31T12:00:00Z")
    assert state_word(going) == "Terminating"


def test_counts() -> None:
    one = pod({"containerStatuses": [{"ready": True, "restartCount": 2}]})
    assert (ready_count(one), restarts(one)) == ("1/1", 2)
    assert (ready_count(pod({})), restarts(pod({}))) == ("0/1", 0)
