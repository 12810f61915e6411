"""Jobs of release 0.1.0, which retry by themselves: they are left alone, read rightly, and followed by attempts."""

import copy
from typing import Any

import pytest

IGNORED = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
BIRD = ("EvalRun", "default", "bird")


@pytest.fixture
def older(world: Any, documents: Any) -> Any:
    """A run whose Job another operator made."""
    world.trained()
    world.add(documents["EvalRun"], backoffLimit=2, activeDeadlineSeconds=100)
    world.reconcile("EvalRun")
    job = world.objects["Job", "default", "bird-eval"]
    annotations = job["metadata"]["annotations"]
    job["metadata"]["annotations"] = {
        "swiftlet.dev/plan-digest": "sha256:of-0.1.0",
        "swiftlet.dev/target-digest": annotations["swiftlet.dev/target-digest"],
    }
    for metadata in (job["metadata"], job["spec"]["template"]["metadata"]):
        del metadata["labels"]["swiftlet.dev/attempt"]
    del job["spec"]["template"]["metadata"]["annotations"]
    job["spec"]["backoffLimit"] = 2
    job["spec"]["podFailurePolicy"]["rules"][-1] = IGNORED
    world.objects[BIRD]["status"] = {"targetDigest": "sha256:aaaa", "conditions": []}
    return world


def jobs(world: Any) -> list[str]:
    return sorted(key[2] for key in world.objects if key[0] == "Job")


def error(world: Any, index: int, failed: int, after: float = 0) -> None:
    world.pod_dies("bird-eval", 1, {"failure": {"reason": "OSError", "message": f"try {index}"}}, index, after=after)
    world.objects["Job", "default", "bird-eval"].setdefault("status", {})["failed"] = failed


@pytest.mark.parametrize("state", ["new", "running", "retrying", "disrupted", "suspended by Kueue"])
def test_it_is_left_alone(older: Any, assert_fixpoint: Any, state: str) -> None:
    job = older.objects["Job", "default", "bird-eval"]
    if state == "running":
        older.job_runs("bird-eval", container="evaluate")
    if state == "retrying":
        error(older, 0, failed=1)
    if state == "disrupted":
        older.pod_dies("bird-eval", 137, "", conditions=[{"type": "DisruptionTarget", "status": "True"}])
    if state == "suspended by Kueue":
        job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = "team"
        job["spec"]["suspend"] = True
        job["metadata"]["annotations"]["swiftlet.dev/asked"] = (
            '{"activeDeadlineSeconds": 100, "backoffLimit": 2, "suspend": false}'
        )
    before = copy.deepcopy({key: found for key, found in older.objects.items() if key != BIRD})
    for _ in range(3):
        outcome = older.reconcile("EvalRun")
        older.pass_time(600)
        assert outcome.desired == [] and outcome.delete == [] and outcome.patches == []
    assert {key: found for key, found in older.objects.items() if key != BIRD} == before
    assert older.condition("EvalRun", "Succeeded")[0] == "Unknown"
    assert_fixpoint(older, "EvalRun")


def test_its_own_retries_count(older: Any) -> None:
    error(older, 0, failed=1)
    older.reconcile("EvalRun")
    assert older.status("EvalRun")["restarts"] == {"user": 1, "infrastructure": 0}
    error(older, 1, failed=2, after=10)
    older.reconcile("EvalRun")
    assert older.status("EvalRun")["failure"]["message"] == "try 1", "the newest counts, where one follows another"
    error(older, 2, failed=3, after=20)
    older.job_fails("bird-eval")
    older.objects["Job", "default", "bird-eval"]["status"]["failed"] = 3
    older.reconcile("EvalRun")
    status, reason, message = older.condition("EvalRun", "Succeeded")
    assert (status, reason) == ("False", "BackoffLimitExceeded")
    assert message.startswith("OSError: try 2") and "restarted 2 times, raise spec.backoffLimit" in message
    older.objects[BIRD]["spec"]["backoffLimit"] = 3
    older.pass_time(60)
    older.reconcile("EvalRun")
    assert jobs(older) == ["bird-eval", "bird-eval-1"]
    assert older.objects["Job", "default", "bird-eval-1"]["spec"]["backoffLimit"] == 0
    assert older.status("EvalRun")["restarts"] == {"user": 3, "infrastructure": 0}


def test_one_that_failed_long_ago_and_whose_pods_are_gone_does_not_start_again(older: Any) -> None:
    """Nobody knows any more who was to blame: an upgrade starts nothing."""
    older.job_fails("bird-eval")
    older.objects["Job", "default", "bird-eval"]["status"]["failed"] = 3
    older.pass_time(86400)
    for _ in range(2):
        assert older.reconcile("EvalRun").desired == []
    assert older.condition("EvalRun", "Succeeded")[:2] == ("False", "BackoffLimitExceeded")


def test_its_pod_that_somebody_deleted_last_is_not_the_users_failure(older: Any) -> None:
    older.pod_dies("bird-eval", 137, "")
    pod = older.objects["Pod", "default", "bird-eval-abcde"]
    pod["metadata"] |= {"deletionTimestamp": "2026-01-01T11:59:00Z", "deletionGracePeriodSeconds": 0}
    older.job_fails("bird-eval")
    older.reconcile("EvalRun")
    assert older.condition("EvalRun", "Running")[:2] == ("False", "BackingOff")
    older.pass_time(10)
    older.reconcile("EvalRun")
    assert jobs(older) == ["bird-eval", "bird-eval-1"]


def test_its_figures_are_read(older: Any) -> None:
    result = {"suite": "generation", "metric": "contains", "value": "0.95", "n": 10}
    older.job_completes("bird-eval", {"results": [result]}, container="evaluate")
    older.reconcile("EvalRun")
    assert older.condition("EvalRun", "Succeeded")[:2] == ("True", "Evaluated")


def test_what_it_ran_counts_towards_the_deadline_of_the_next(older: Any) -> None:
    older.job_runs("bird-eval", container="evaluate")
    older.reconcile("EvalRun")
    older.pass_time(40)
    older.pod_dies("bird-eval", 137, "", conditions=[])
    older.objects["Pod", "default", "bird-eval-abcde"]["status"] |= {"reason": "NodeShutdown"}
    older.job_fails("bird-eval")
    older.reconcile("EvalRun")
    older.pass_time(60)
    older.reconcile("EvalRun")
    assert older.objects["Job", "default", "bird-eval-1"]["spec"]["activeDeadlineSeconds"] == 60


def test_another_artifact_has_budgets_of_its_own(older: Any) -> None:
    error(older, 0, failed=1)
    older.reconcile("EvalRun")
    older.trained(digest="sha256:bbbb")
    assert [ref.name for ref in older.reconcile("EvalRun").delete] == ["bird-eval"]
    for _ in range(2):
        older.reconcile("EvalRun")
    status = older.status("EvalRun")
    assert status["restarts"] == {"user": 0, "infrastructure": 0}
    assert "failure" not in status and "activeSeconds" not in status and jobs(older) == ["bird-eval"]
