"""Decisions about Jobs."""

from datetime import UTC, datetime, timedelta
from typing import Any

from swiftlet.local.decisions import PodDecision
from swiftlet.local.job_controller import decide
from swiftlet.local.job_pods import INDEX

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def text(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def job(status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c"}], "restartPolicy": "Never"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "namespace": "ns", "uid": "u"},
        "spec": {"completionMode": "Indexed", "completions": 2, "parallelism": 2, "template": template, **spec},
        "status": status or {},
    }


def pod(index: int, phase: str, code: int | None = None, ended: float = 0.0, **metadata: Any) -> dict[str, Any]:
    statuses = []
    if code is not None:
        terminated = {"exitCode": code, "finishedAt": text(ended)}
        statuses = [{"name": "c", "restartCount": 0, "state": {"terminated": terminated}}]
    return {
        "kind": "Pod",
        "metadata": {
            "name": f"j-{index}-x",
            "namespace": "ns",
            "annotations": {INDEX: str(index)},
            "creationTimestamp": text(-60),
            **metadata,
        },
        "status": {"phase": phase, "containerStatuses": statuses},
    }


def conditions(decision: PodDecision) -> dict[str, str]:
    return {c["type"]: c["reason"] for c in decision.status.get("conditions", []) if c["status"] == "True"}


def test_one_pod_for_each_index() -> None:
    made = decide(job(), [], NOW).create
    assert [pod["metadata"]["annotations"][INDEX] for pod in made] == ["0", "1"]
    first = made[0]
    assert first["spec"]["hostname"] == "j-0" and first["metadata"]["name"].startswith("j-0-")
    assert first["metadata"]["labels"] == {
        "a": "b",
        "job-name": "j",
        "batch.kubernetes.io/job-name": "j",
        "controller-uid": "u",
        "batch.kubernetes.io/controller-uid": "u",
        INDEX: "0",
    }
    field = {"fieldRef": {"fieldPath": f"metadata.annotations['{INDEX}']"}}
    assert first["spec"]["containers"][0]["env"] == [{"name": "JOB_COMPLETION_INDEX", "valueFrom": field}]
    assert first["metadata"]["ownerReferences"][0]["controller"] is True


def test_names_are_the_same_for_the_same_state_and_new_for_a_replacement() -> None:
    again = decide(job(), [], NOW).create[0]["metadata"]["name"]
    assert decide(job(), [], NOW).create[0]["metadata"]["name"] == again
    dead = pod(0, "Failed", 1, ended=-100)
    assert decide(job(), [dead, pod(1, "Running")], NOW).create[0]["metadata"]["name"] != again


def test_parallelism_is_not_exceeded() -> None:
    assert len(decide(job(completions=5), [], NOW).create) == 2
    assert decide(job(completions=5), [pod(0, "Running"), pod(3, "Pending")], NOW).create == []


def test_complete_when_every_index_succeeded() -> None:
    decision = decide(job(), [pod(0, "Succeeded", 0), pod(1, "Succeeded", 0)], NOW)
    assert conditions(decision)["Complete"] == "CompletionsReached"
    assert decision.status["completionTime"] == text(0) and decision.status["succeeded"] == 2


def test_a_job_without_indexes_counts_pods() -> None:
    spec = {"completionMode": "NonIndexed", "completions": 1, "parallelism": 1}
    assert len(decide(job(**spec), [], NOW).create) == 1
    assert "Complete" in conditions(decide(job(**spec), [pod(0, "Succeeded", 0)], NOW))


def test_a_failed_pod_is_replaced_after_a_pause_that_doubles() -> None:
    one = [pod(0, "Failed", 1, ended=-0.5), pod(1, "Running")]
    early = decide(job(), one, NOW)
    assert early.create == [] and early.requeue_after is not None and 0 < early.requeue_after <= 2
    assert [p["metadata"]["annotations"][INDEX] for p in decide(job(), one, NOW + timedelta(seconds=3)).create] == ["0"]
    two = [*one, pod(0, "Failed", 1, ended=0)]
    assert decide(job(), two, NOW + timedelta(seconds=3)).create == []
    assert len(decide(job(), two, NOW + timedelta(seconds=4.5)).create) == 1


def test_the_backoff_limit_stops_the_rest_and_then_fails_the_job() -> None:
    pods = [pod(0, "Failed", 1), pod(1, "Running")]
    announced = decide(job(backoffLimit=0), pods, NOW)
    assert conditions(announced) == {"FailureTarget": "BackoffLimitExceeded"}
    assert announced.delete == [pods[1]] and announced.create == []
    leaving = pod(1, "Running", deletionTimestamp=text(0))
    waiting = decide(job(announced.status, backoffLimit=0), [pods[0], leaving], NOW)
    assert "Failed" not in conditions(waiting) and waiting.status["terminating"] == 1
    over = decide(job(announced.status, backoffLimit=0), [pods[0]], NOW)
    assert conditions(over)["Failed"] == "BackoffLimitExceeded"
    assert decide(job(over.status, backoffLimit=0), [], NOW).create == []


def test_policy_fails_the_job_at_once() -> None:
    policy = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [2]}}]}
    decision = decide(job(podFailurePolicy=policy, backoffLimit=6), [pod(0, "Failed", 2)], NOW)
    assert conditions(decision)["Failed"] == "PodFailurePolicy"
    assert "exit code 2" in decision.status["conditions"][-1]["message"]


def test_ignored_failures_do_not_count() -> None:
    policy = {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}
    gone = pod(0, "Failed", 143)
    gone["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True"}]
    decision = decide(job(podFailurePolicy=policy, backoffLimit=0), [gone, pod(1, "Running")], NOW)
    assert decision.status["failed"] == 0
    assert [made["metadata"]["annotations"][INDEX] for made in decision.create] == ["0"]


def test_container_restarts_count_against_the_limit() -> None:
    restarting = pod(0, "Running")
    restarting["status"]["containerStatuses"] = [{"name": "c", "restartCount": 3, "state": {"running": {}}}]
    assert "FailureTarget" in conditions(decide(job(backoffLimit=2), [restarting], NOW))
    assert "FailureTarget" not in conditions(decide(job(backoffLimit=3), [restarting], NOW))


def test_the_deadline_fails_an_active_job() -> None:
    started = {"startTime": text(-10)}
    before = decide(job(started, activeDeadlineSeconds=30), [pod(0, "Running"), pod(1, "Running")], NOW)
    assert before.requeue_after == 20 and not conditions(before)
    after = decide(job(started, activeDeadlineSeconds=10), [pod(0, "Running")], NOW)
    assert conditions(after) == {"FailureTarget": "DeadlineExceeded"} and len(after.delete) == 1


def test_suspend_stops_pods_without_counting_them_and_resume_starts_the_clock_anew() -> None:
    running = pod(0, "Running")
    suspended = decide(job({"startTime": text(-10)}, suspend=True), [running], NOW)
    assert suspended.delete == [running] and conditions(suspended) == {"Suspended": "JobSuspended"}
    assert "startTime" not in suspended.status
    leaving = pod(0, "Failed", 143, deletionTimestamp=text(0))
    assert decide(job(suspended.status, suspend=True, backoffLimit=0), [leaving], NOW).status["failed"] == 0
    resumed = decide(job(suspended.status), [], NOW)
    assert resumed.status["startTime"] == text(0) and len(resumed.create) == 2
    assert resumed.status["conditions"][0]["reason"] == "JobResumed"


def test_a_field_that_changes_the_meaning_is_refused_by_name() -> None:
    decision = decide(job(backoffLimitPerIndex=1), [], NOW)
    assert conditions(decision)["Failed"] == "Unsupported"
    assert "spec.backoffLimitPerIndex" in decision.status["conditions"][-1]["message"]
