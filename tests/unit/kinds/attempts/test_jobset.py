"""Attempts as JobSets: the same rules, for as many roles as there are."""

import copy
from typing import Any

import pytest
from swiftlet.kinds.attempts.attempt import Attempt, attempts_of
from swiftlet.kinds.attempts.backends.jobset import JobSetBackend
from swiftlet.kinds.attempts.cause import cause_of, failure_of
from swiftlet.kinds.attempts.role import Role
from swiftlet.kinds.observing.observed import ended_at, is_suspended

Object = dict[str, Any]
BACKEND = JobSetBackend()
NAMED = "bird-train-{}".format
OWNER = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "name": "bird", "uid": "ftj", "controller": True}


def template(image: str) -> Object:
    labels = {"swiftlet.dev/owner-uid": "ftj"}
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "train", "image": image}]}}


ROLES = [Role("trainer", 2, template("trainer")), Role("rollout", 3, template("vllm"))]


def jobset(*conditions: Object, suspend: bool = False, deadline: int | None = None) -> Object:
    metadata = {"name": "bird-train-0", "namespace": "default", "uid": "js", "ownerReferences": [OWNER]}
    metadata |= {"annotations": {"swiftlet.dev/history": '{"user": 1}'}}
    found = BACKEND.render(metadata, ROLES, {"suspend": suspend, "activeDeadlineSeconds": deadline})
    return {**found, "status": {"conditions": list(conditions)}}


def job(of: Object, role: int, *conditions: Object, **status: Any) -> Object:
    """The Job of a role, as JobSet's controller makes it."""
    made = copy.deepcopy(of["spec"]["replicatedJobs"][role])
    name = f"{of['metadata']['name']}-{made['name']}-0"
    owner = {"apiVersion": of["apiVersion"], "kind": "JobSet", "name": of["metadata"]["name"], "uid": "js"}
    metadata = {**made["template"]["metadata"], "name": name, "namespace": "default", "uid": f"job-{role}"}
    metadata["ownerReferences"] = [{**owner, "controller": True}]
    status = {"startTime": f"2026-01-01T00:00:0{5 - role}Z", "conditions": list(conditions), **status}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": made["template"]["spec"]} | {
        "status": status
    }


def pod(of: Object, index: int, exit_code: int | None = None, at: str = "", message: str = "boom") -> Object:
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": of["metadata"]["name"], "uid": of["metadata"]["uid"]}
    state = {"running": {}}
    if exit_code is not None:
        state = {"terminated": {"exitCode": exit_code, "finishedAt": at, "message": message}}
    metadata = {"name": f"{of['metadata']['name']}-{index}-abcde", "namespace": "default"}
    metadata |= {"annotations": {"batch.kubernetes.io/job-completion-index": str(index)}}
    metadata["ownerReferences"] = [{**owner, "controller": True}]
    return {"kind": "Pod", "metadata": metadata, "status": {"containerStatuses": [{"name": "train", "state": state}]}}


def condition(type_: str, moment: str, reason: str = "", message: str = "") -> Object:
    return {"type": type_, "status": "True", "lastTransitionTime": moment, "reason": reason, "message": message}


def only(*children: Object) -> Attempt:
    (found,) = attempts_of(NAMED, list(children))
    return found


def test_each_role_is_a_job_and_the_whole_restarts_nothing() -> None:
    made = jobset(suspend=True, deadline=60)
    spec = made["spec"]
    assert spec["suspend"] is True and spec["failurePolicy"] == {"maxRestarts": 0}
    assert spec["network"] == {"enableDNSHostnames": False}
    assert [(one["name"], one["replicas"]) for one in spec["replicatedJobs"]] == [("trainer", 1), ("rollout", 1)]
    trainer, rollout = (one["template"] for one in spec["replicatedJobs"])
    assert (trainer["spec"]["parallelism"], rollout["spec"]["completions"]) == (2, 3)
    assert trainer["spec"]["backoffLimit"] == 0 and trainer["spec"]["activeDeadlineSeconds"] == 60
    assert rollout["spec"]["template"]["spec"]["containers"][0]["image"] == "vllm"
    assert rollout["metadata"]["labels"] == {"swiftlet.dev/owner-uid": "ftj"}, "by which its Job is seen"


def test_an_attempt_has_the_pods_of_all_roles() -> None:
    made = jobset()
    trainer = job(made, 0, active=2, ready=2)
    rollout = job(made, 1, active=3, ready=1)
    pods = [pod(rollout, 0), pod(trainer, 1), pod(trainer, 0)]
    found = only(*pods, rollout, trainer, made)
    assert [one["metadata"]["name"].removeprefix("bird-train-0-") for one in found.pods] == [
        "trainer-0-0-abcde",
        "trainer-0-1-abcde",
        "rollout-0-0-abcde",
    ]
    assert (found.job["spec"]["parallelism"], found.job["status"]["ready"]) == (5, 3)
    assert found.job["status"]["startTime"] == "2026-01-01T00:00:04Z", "the first role's start"
    assert (found.state, found.job["kind"], found.history.user) == ("Active", "JobSet", 1)
    assert all(found.made(one["metadata"]["name"]) for one in pods)
    assert not found.made("bird-train-0-0-abcde") and not found.made("bird-train-01-trainer-0-0-abcde")


def test_nothing_has_to_be_there_yet() -> None:
    found = only(jobset())
    assert (found.state, found.pods, found.job["spec"]["parallelism"]) == ("Active", (), 5)
    assert found.makers == (found.job,), "what is asked about pods that are missing"


@pytest.mark.parametrize("first", [0, 1])
def test_the_first_death_of_all_roles_is_the_cause(first: int) -> None:
    """Also where the other role fails by it, and its Job is told first."""
    made = jobset(condition("Failed", "2026-01-01T00:02:00Z", "FailedJobs", "jobset failed due to one or more jobs"))
    whys = ["BackoffLimitExceeded", "BackoffLimitExceeded"]
    jobs = [job(made, role, condition("Failed", f"2026-01-01T00:01:0{role}Z", whys[role])) for role in (0, 1)]
    pods = [pod(jobs[role], 0, 1, f"2026-01-01T00:00:3{abs(role - first)}Z", f"role {role}") for role in (0, 1)]
    found = only(made, *jobs, *pods)
    failure = failure_of(found, None)
    assert failure is not None and failure.message == f"role {first}"
    assert found.state == "Failed" and cause_of(found, failure) == "user"
    assert ended_at(found.job) == "2026-01-01T00:02:00Z"


def test_the_job_that_failed_first_says_why() -> None:
    made = jobset(condition("Failed", "2026-01-01T00:02:00Z", "FailedJobs", "words of JobSet"))
    late = job(made, 0, condition("Failed", "2026-01-01T00:01:30Z", "BackoffLimitExceeded"))
    early = job(made, 1, condition("Failed", "2026-01-01T00:01:00Z", "DeadlineExceeded", "too long"))
    found = only(made, late, early)
    failure = failure_of(found, None)
    assert failure is not None and (failure.reason, failure.message) == ("DeadlineExceeded", "too long")
    assert cause_of(found, failure) == "deadline"
    alone = failure_of(only(made), None)
    assert alone is not None and (alone.reason, alone.message) == ("FailedJobs", "words of JobSet"), "no Job is left"


def test_it_has_not_failed_as_long_as_a_role_is_at_work() -> None:
    """JobSet fails at once and deletes the other Jobs then: the next attempt would meet their pods."""
    made = jobset(condition("Failed", "2026-01-01T00:02:00Z", "FailedJobs"))
    failed = job(made, 0, condition("Failed", "2026-01-01T00:01:00Z", "PodFailurePolicy", "DisruptionTarget"))
    assert only(made, failed, job(made, 1, active=3)).state == "Active"
    assert only(made, failed).state == "Failed"


def test_it_is_complete_when_all_roles_are() -> None:
    made = jobset(condition("Completed", "2026-01-01T00:03:00Z", "AllJobsCompleted"))
    done = condition("Complete", "2026-01-01T00:02:00Z")
    found = only(made, job(made, 0, done), job(made, 1, done))
    assert found.state == "Complete" and ended_at(found.job) == "2026-01-01T00:03:00Z"


def test_it_is_suspended_when_the_last_pod_is_gone() -> None:
    made = jobset(condition("Suspended", "2026-01-01T00:03:00Z"), suspend=True)
    leaving = job(made, 1, terminating=1)
    assert not is_suspended(only(made, job(made, 0), leaving).job)
    assert is_suspended(only(made, job(made, 0), job(made, 1)).job)


def test_the_jobs_are_asked_for_another_deadline_and_the_whole_to_stop() -> None:
    made = jobset(deadline=60)
    found = only(made, job(made, 0), job(made, 1, condition("Complete", "2026-01-01T00:02:00Z")))
    assert BACKEND.asked(found.job, found.jobs, {"suspend": False, "activeDeadlineSeconds": 60}) == []
    patches = BACKEND.asked(found.job, found.jobs, {"suspend": True, "activeDeadlineSeconds": 90})
    told = [(patch.target.kind, patch.target.name, patch.fields["spec"]) for patch in patches]
    assert told == [
        ("JobSet", "bird-train-0", {"suspend": True}),
        ("Job", "bird-train-0-trainer-0", {"activeDeadlineSeconds": 90}),
    ], "a Job that has ended is left alone"


def test_attempts_of_both_kinds_follow_each_other() -> None:
    earlier = {"kind": "Job", "metadata": {"name": "bird-train-1", "uid": "j", "ownerReferences": [OWNER]}}
    made = jobset()
    found = attempts_of(NAMED, [made, earlier, job(made, 0)])
    assert [(one.number, one.job["kind"]) for one in found] == [(0, "JobSet"), (1, "Job")]
