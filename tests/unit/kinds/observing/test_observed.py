from typing import Any

import pytest
from swiftlet.kinds.observing.observed import (
    INDEX_ANNOTATION,
    completion_index,
    ended_at,
    is_suspended,
    job_state,
    obstacle,
    pods_of,
    running_container,
    stopped,
)


def job(*conditions: str, **status: Any) -> dict[str, Any]:
    listed = [{"type": name, "status": "True", "lastTransitionTime": "2026-01-01T00:00:01Z"} for name in conditions]
    return {"kind": "Job", "metadata": {"name": "a", "uid": "1"}, "status": {"conditions": listed, **status}}


def pod(**status: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": "a-0"}, "status": status}


def test_a_job_has_ended_only_when_its_pods_have() -> None:
    assert job_state({"kind": "Job", "metadata": {"name": "a"}}) == "Active"
    assert job_state(job("FailureTarget")) == "Active"
    assert job_state(job("SuccessCriteriaMet")) == "Active"
    assert job_state(job("FailureTarget", "Failed")) == "Failed"
    assert job_state(job("Complete")) == "Complete"


def test_when_it_ended() -> None:
    assert ended_at(job("Failed")) == "2026-01-01T00:00:01Z"
    assert ended_at(job("Complete", completionTime="2026-01-01T00:00:09Z")) == "2026-01-01T00:00:09Z"


def test_suspended_means_that_the_pods_are_gone() -> None:
    assert is_suspended(job("Suspended"))
    assert not is_suspended(job("Suspended", active=1))
    assert not is_suspended(job("Suspended", terminating=1))
    assert not is_suspended(job())


def test_pods_by_controller_not_by_label() -> None:
    def pod_of(name: str, uid: str, **reference: Any) -> dict[str, Any]:
        references = [{"kind": "Job", "name": "a", "uid": uid, **reference}]
        return {"kind": "Pod", "metadata": {"name": name, "ownerReferences": references}}

    labelled = {"kind": "Pod", "metadata": {"name": "x", "labels": {"batch.kubernetes.io/job-name": "a"}}}
    pods = [labelled, pod_of("y", "1", controller=True), pod_of("z", "2", controller=True), pod_of("w", "1")]
    assert [found["metadata"]["name"] for found in pods_of(pods, job())] == ["y"]


@pytest.mark.parametrize("text", ["-1", "first", "", "1e3", "²", "9" * 5000])
def test_an_index_that_cannot_be_read_comes_last(text: str) -> None:
    edited = {"kind": "Pod", "metadata": {"name": "a-0", "annotations": {INDEX_ANNOTATION: text}}}
    assert completion_index(edited) > 10**6
    assert completion_index(pod()) == 0


def test_obstacles() -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
    pulls = pod(containerStatuses=[{"name": "train", "state": {"waiting": waiting}}])
    assert obstacle([pulls]) == (
        "ImagePullBackOff",
        "pod a-0: container train: Back-off pulling image; check images of the ComputeProfile and the registry's"
        " credentials",
    )
    gated = pod(conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "g"}])
    assert obstacle([gated]) == ("SchedulingGated", "pod a-0: g")
    starting = pod(containerStatuses=[{"name": "train", "state": {"waiting": {"reason": "PodInitializing"}}}])
    assert obstacle([starting, pod()]) is None


def test_a_pod_whose_node_is_lost() -> None:
    def conditions(ready: str, containers: str) -> list[dict[str, str]]:
        return [{"type": "Ready", "status": ready}, {"type": "ContainersReady", "status": containers}]

    lost = {**pod(conditions=conditions("False", "True")), "spec": {"nodeName": "node-1"}}
    reason, message = obstacle([lost]) or ("", "")
    assert reason == "NodeLost"
    assert message.startswith("pod a-0: nothing is heard from its node node-1; look at the node")
    assert obstacle([pod(conditions=conditions("False", "False")), pod(conditions=conditions("True", "True"))]) is None


def test_the_container_that_runs() -> None:
    done, runs = {"terminated": {"exitCode": 0}}, {"running": {}}
    init, main = {"name": "prepare", "state": done}, {"name": "train", "state": runs}
    assert running_container(pod(initContainerStatuses=[init], containerStatuses=[main])) == "train"
    assert running_container(pod(initContainerStatuses=[{**init, "state": runs}])) == "prepare"
    assert running_container(pod()) is None


def test_stopped_means_that_all_ended_and_one_was_taken_away() -> None:
    taken = [{"type": "DisruptionTarget", "status": "True", "message": "the engine was asked to stop"}]
    drained, failed = pod(phase="Failed", conditions=taken), pod(phase="Failed")
    assert stopped([failed, drained]) == "the engine was asked to stop"
    assert obstacle([drained]) == ("Stopped", "the engine was asked to stop")
    assert stopped([failed]) is None
    assert stopped([drained, pod(phase="Pending")]) is None
    assert stopped([{**drained, "metadata": {"name": "a-0", "deletionTimestamp": "2026-01-01T00:00:00Z"}}]) is None
    assert stopped([]) is None


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (
            {"containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ErrImagePull", "message": "no x"}}}]},
            "ErrImagePull: pod a-0: container c: no x",
        ),
        (
            {"initContainerStatuses": [{"name": "c", "state": {"waiting": {"reason": "CreateContainerConfigError"}}}]},
            "CreateContainerConfigError: pod a-0: container c: CreateContainerConfigError",
        ),
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no GPU"}
                ]
            },
            "Unschedulable: pod a-0: no GPU",
        ),
    ],
)
def test_what_kept_a_stopped_pod_from_work_is_still_told(before: dict[str, Any], told: str) -> None:
    taken = {"type": "DisruptionTarget", "status": "True", "message": "the engine was asked to stop"}
    drained = pod(**{**before, "phase": "Failed", "conditions": [*before.get("conditions", []), taken]})
    message = stopped([drained]) or ""
    assert message.startswith(told) and message.endswith("; then the engine was asked to stop")
    assert obstacle([drained]) == ("Stopped", message)
