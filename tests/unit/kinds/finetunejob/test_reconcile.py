import json
from typing import Any

import pytest
from swiftlet.kinds.conditions.timestamps import from_text, to_text
from swiftlet.kinds.frame.progress import merge

RESULT = {
    "artifact": {"uri": "pvc://a/b", "digest": "sha256:x", "type": "adapter", "steps": 30, "finalLoss": "0.5"},
    "dataset": {"read": 84, "used": 84},
    "progress": {"step": 30, "totalSteps": 30, "percent": 100, "loss": "0.5"},
    "lastLines": "x" * 1000 + "progress step=30 loss=0.5\nphase message=writing the artifact",
}


def failure(reason: str, message: str, rank: int | None = 0) -> dict[str, Any]:
    return {"failure": {"reason": reason, "message": message, "rank": rank}}


def start(world: Any, documents: Any, **spec: Any) -> None:
    world.add(documents["FineTuneJob"], **spec)
    world.reconcile("FineTuneJob")


def kinds(outcome: Any) -> list[tuple[str, str]]:
    return [(manifest["kind"], manifest["metadata"]["name"]) for manifest in outcome.desired]


def test_first_look_creates_the_children_and_sets_every_condition(world: Any, documents: Any) -> None:
    world.add(documents["FineTuneJob"])
    outcome = world.reconcile("FineTuneJob")
    assert kinds(outcome) == [
        ("NetworkPolicy", "bird-train"),
        ("Job", "bird-train-0"),
    ]
    types = [condition["type"] for condition in outcome.status["conditions"]]
    assert types == ["Accepted", "PodsReady", "Running", "Checkpointed", "Compiled", "Suspended", "Succeeded"]
    assert outcome.status["observedGeneration"] == 1
    assert outcome.events == []


def test_only_pods_that_meet_get_a_service(world: Any, documents: Any) -> None:
    world.add(documents["FineTuneJob"], parallelism={"nodes": 2}, training={"globalBatchSize": 8})
    outcome = world.reconcile("FineTuneJob")
    (service,) = [manifest for manifest in outcome.desired if manifest["kind"] == "Service"]
    addresses = [
        variable["value"]
        for variable in outcome.desired[-1]["spec"]["template"]["spec"]["containers"][0]["env"]
        if variable["name"] == "PET_MASTER_ADDR"
    ]
    assert addresses == [f"bird-train-0-0.{service['metadata']['name']}.default.svc"]


def test_a_service_of_an_earlier_release_stays(world: Any, documents: Any, assert_fixpoint: Any) -> None:
    start(world, documents)
    like = world.objects["NetworkPolicy", "default", "bird-train"]["metadata"]
    kept = {name: like[name] for name in ("name", "labels", "ownerReferences")}
    world.put({"apiVersion": "v1", "kind": "Service", "metadata": kept, "spec": {"clusterIP": "None"}})
    assert_fixpoint(world, "FineTuneJob")
    assert ("Service", "default", "bird-train") in world.objects


def test_a_run_from_start_to_artifact(world: Any, documents: Any, assert_fixpoint: Any) -> None:
    start(world, documents)
    assert_fixpoint(world, "FineTuneJob")
    world.job_runs("bird-train-0")
    world.reported["finetunejob-0002"] = {"type": "progress", "time": "t", "step": 10, "totalSteps": 30, "loss": "1.5"}
    assert [event.reason for event in world.reconcile("FineTuneJob").events] == ["Started"]
    assert world.condition("FineTuneJob", "PodsReady")[:2] == ("True", "AllPodsReady")
    assert world.condition("FineTuneJob", "Running")[:2] == ("True", "Training")
    assert world.condition("FineTuneJob", "Succeeded")[:2] == ("Unknown", "Training")
    assert world.status("FineTuneJob")["progress"]["loss"] == "1.5"
    assert_fixpoint(world, "FineTuneJob")
    world.job_completes("bird-train-0", RESULT)
    outcome = world.reconcile("FineTuneJob")
    assert [event.reason for event in outcome.events] == ["Succeeded"]
    status = outcome.status
    assert status["artifact"]["digest"] == "sha256:x"
    assert status["dataset"]["used"] == 84
    assert status["progress"]["percent"] == 100
    assert status["completionTime"] == to_text(world.now)
    assert_fixpoint(world, "FineTuneJob")


def test_a_finished_run_is_not_run_again_when_its_children_are_gone(world: Any, documents: Any) -> None:
    start(world, documents)
    world.job_completes("bird-train-0", RESULT)
    world.reconcile("FineTuneJob")
    status = world.status("FineTuneJob")
    assert status["lastLines"] == RESULT["lastLines"][-1000:]
    for key in [key for key in world.objects if key[0] in ("Job", "Pod", "ConfigMap")]:
        del world.objects[key]
    outcome = world.reconcile("FineTuneJob")
    assert outcome.desired == []
    assert outcome.status == status


def test_a_failure_is_restarted_after_a_backoff_with_the_next_attempt(
    world: Any, documents: Any, assert_fixpoint: Any
) -> None:
    start(world, documents)
    world.pod_dies("bird-train-0", 1, failure("RuntimeError", "boom", rank=1))
    world.job_fails("bird-train-0")
    outcome = world.reconcile("FineTuneJob")
    assert outcome.desired == []
    assert outcome.requeue_after == 5.0
    assert [event.reason for event in outcome.events] == ["Restarting"]
    status, reason, message = world.condition("FineTuneJob", "Running")
    assert (status, reason) == ("False", "BackingOff")
    assert "RuntimeError: boom" in message
    assert outcome.status["failure"] == {
        "reason": "RuntimeError",
        "message": "boom",
        "rank": 1,
        "pod": "bird-train-0-0-abcde",
        "exitCode": 1,
    }
    assert_fixpoint(world, "FineTuneJob")
    world.pass_time(5)
    outcome = world.reconcile("FineTuneJob")
    assert kinds(outcome)[-1] == ("Job", "bird-train-1")
    assert outcome.status["restarts"] == {"user": 1, "infrastructure": 0}
    assert_fixpoint(world, "FineTuneJob")


def test_backoff_doubles_and_the_limit_ends_the_run(world: Any, documents: Any, assert_fixpoint: Any) -> None:
    start(world, documents, backoffLimit=2)
    for attempt, backoff in enumerate((5.0, 10.0)):
        world.pod_dies(f"bird-train-{attempt}", 1, failure("RuntimeError", "boom"))
        world.job_fails(f"bird-train-{attempt}")
        assert world.reconcile("FineTuneJob").requeue_after == backoff
        world.pass_time(backoff)
        world.reconcile("FineTuneJob")
    world.pod_dies("bird-train-2", 1, failure("RuntimeError", "boom"))
    world.job_fails("bird-train-2")
    outcome = world.reconcile("FineTuneJob")
    status, reason, message = world.condition("FineTuneJob", "Succeeded")
    assert (status, reason) == ("False", "BackoffLimitExceeded")
    assert "boom" in message and "rank 0" in message and "spec.backoffLimit" in message
    assert outcome.requeue_after is None
    assert_fixpoint(world, "FineTuneJob")
    world.objects["FineTuneJob", "default", "bird"]["spec"]["backoffLimit"] = 3
    world.pass_time(20)
    assert kinds(world.reconcile("FineTuneJob"))[-1] == ("Job", "bird-train-3")


@pytest.mark.parametrize(("exit_code", "reason"), [(2, "InvalidInput"), (3, "Diverged")])
def test_bad_input_and_divergence_are_never_retried(world: Any, documents: Any, exit_code: int, reason: str) -> None:
    start(world, documents)
    world.pod_dies("bird-train-0", exit_code, failure(reason, "line 3: no assistant turn", None), init=True)
    world.job_fails("bird-train-0", "PodFailurePolicy")
    outcome = world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "Succeeded")[:2] == ("False", reason)
    assert "line 3" in world.condition("FineTuneJob", "Succeeded")[2]
    assert outcome.desired == [] and outcome.requeue_after is None


def test_a_run_that_was_stopped_with_the_machine_has_not_failed(world: Any, documents: Any) -> None:
    start(world, documents)
    world.job_runs("bird-train-0")
    world.reconcile("FineTuneJob")
    drained = [{"type": "DisruptionTarget", "status": "True", "message": "asked to stop"}]
    world.pod_dies("bird-train-0", 143, failure("Terminated", "SIGTERM", None), conditions=drained)
    world.objects["Job", "default", "bird-train-0"]["status"] = {"active": 0, "ready": 0}
    world.reconcile("FineTuneJob")
    for type_ in ("PodsReady", "Running"):
        assert world.condition("FineTuneJob", type_) == ("False", "Stopped", "asked to stop")
    assert world.condition("FineTuneJob", "Succeeded") == ("Unknown", "Stopped", "asked to stop")
    assert "failure" not in world.status("FineTuneJob")


def test_a_run_whose_node_is_not_heard_from_is_neither_running_nor_failed(world: Any, documents: Any) -> None:
    start(world, documents)
    world.job_runs("bird-train-0")
    world.reconcile("FineTuneJob")
    world.lose_node("bird-train-0-0-abcde")
    world.objects["Job", "default", "bird-train-0"]["status"]["ready"] = 0
    assert [event.reason for event in world.reconcile("FineTuneJob").events] == ["NodeLost"]
    assert world.condition("FineTuneJob", "PodsReady")[:2] == ("False", "NodeLost")
    status, reason, message = world.condition("FineTuneJob", "Running")
    assert (status, reason) == ("Unknown", "NodeLost")
    assert "its node node-1" in message
    assert world.condition("FineTuneJob", "Succeeded")[:2] == ("Unknown", "NodeLost")


def test_what_a_pod_said_is_remembered_when_the_pod_is_gone(world: Any, documents: Any) -> None:
    start(world, documents, backoffLimit=0)
    world.pod_dies("bird-train-0", 143, failure("Terminated", "SIGTERM", None))
    world.reconcile("FineTuneJob")
    del world.objects["Pod", "default", "bird-train-0-0-abcde"]
    world.job_fails("bird-train-0")
    assert world.reconcile("FineTuneJob").requeue_after == 5.0


def test_suspend_and_resume(world: Any, documents: Any, assert_fixpoint: Any) -> None:
    start(world, documents)
    world.job_runs("bird-train-0")
    world.reconcile("FineTuneJob")
    resource = world.objects["FineTuneJob", "default", "bird"]
    resource["spec"]["suspend"] = True
    world.reconcile("FineTuneJob")
    job = world.objects["Job", "default", "bird-train-0"]
    assert job["spec"]["suspend"] is True
    assert world.condition("FineTuneJob", "Suspended")[:2] == ("Unknown", "Suspending")
    world.pod_dies("bird-train-0", 143, failure("Terminated", "SIGTERM", None))
    world.reconcile("FineTuneJob")
    assert "failure" not in world.status("FineTuneJob")
    del world.objects["Pod", "default", "bird-train-0-0-abcde"]
    job["status"] = {"active": 0, "conditions": [{"type": "Suspended", "status": "True"}]}
    assert [event.reason for event in world.reconcile("FineTuneJob").events] == ["Suspended"]
    assert world.condition("FineTuneJob", "Succeeded")[:2] == ("Unknown", "Suspended")
    assert_fixpoint(world, "FineTuneJob")
    resource["spec"]["suspend"] = False
    assert [event.reason for event in world.reconcile("FineTuneJob").events] == ["Resumed"]
    assert job["spec"]["suspend"] is False
    assert_fixpoint(world, "FineTuneJob")


def test_a_missing_config_map_is_waited_for(world: Any, documents: Any) -> None:
    del world.objects["ConfigMap", "default", "bird-data"]
    start(world, documents)
    status, reason, message = world.condition("FineTuneJob", "Accepted")
    assert (status, reason) == ("Unknown", "ReferenceNotFound")
    assert "spec.datasets[0].uri" in message and "default/bird-data does not exist" in message
    assert world.condition("FineTuneJob", "Succeeded")[0] == "Unknown"
    world.data()
    assert kinds(world.reconcile("FineTuneJob"))[-1] == ("Job", "bird-train-0")


def test_the_name_of_a_strangers_object_is_not_taken(world: Any, documents: Any) -> None:
    theirs = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "bird-train"}}
    world.put({**theirs, "spec": {"mine": "1"}})
    start(world, documents)
    assert world.condition("FineTuneJob", "Accepted")[:2] == ("False", "NameConflict")
    assert "NetworkPolicy default/bird-train" in world.condition("FineTuneJob", "Succeeded")[2]
    assert world.objects["NetworkPolicy", "default", "bird-train"]["spec"] == {"mine": "1"}
    del world.objects["NetworkPolicy", "default", "bird-train"]
    assert kinds(world.reconcile("FineTuneJob"))[-1] == ("Job", "bird-train-0")


def test_children_of_a_deleted_namesake_are_waited_for(world: Any, documents: Any) -> None:
    start(world, documents)
    world.objects["FineTuneJob", "default", "bird"]["metadata"]["uid"] = "another"
    world.objects["FineTuneJob", "default", "bird"].pop("status")
    world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "Accepted")[:2] == ("Unknown", "WaitingForDeletion")


def test_a_running_attempt_keeps_the_plan_that_it_started_with(world: Any, documents: Any) -> None:
    start(world, documents)
    world.job_runs("bird-train-0")
    before = world.job_document("bird-train")
    storage = {"storage": {"artifactsClaim": "other"}}
    profile = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "default"}}
    world.add(profile, **storage)
    outcome = world.reconcile("FineTuneJob")
    assert kinds(outcome) == [] and outcome.patches == []
    job = world.objects["Job", "default", "bird-train-0"]
    claims = [volume.get("persistentVolumeClaim") for volume in job["spec"]["template"]["spec"]["volumes"]]
    assert {"claimName": "swiftlet-artifacts"} in claims
    assert world.job_document("bird-train") == before
    world.pod_dies("bird-train-0", 1, failure("RuntimeError", "boom"))
    world.job_fails("bird-train-0")
    world.pass_time(5)
    world.reconcile("FineTuneJob")
    assert "pvc://other/" in world.job_document("bird-train")["artifactUri"]


def test_a_running_attempt_can_be_suspended_though_its_data_is_gone(world: Any, documents: Any) -> None:
    start(world, documents)
    world.job_runs("bird-train-0")
    del world.objects["ConfigMap", "default", "bird-data"]
    world.objects["FineTuneJob", "default", "bird"]["spec"]["suspend"] = True
    world.reconcile("FineTuneJob")
    assert world.objects["Job", "default", "bird-train-0"]["spec"]["suspend"] is True


def test_the_deadline_is_over_all_attempts(world: Any, documents: Any) -> None:
    start(world, documents, activeDeadlineSeconds=100)
    assert world.objects["Job", "default", "bird-train-0"]["spec"]["activeDeadlineSeconds"] == 100
    world.job_runs("bird-train-0")
    world.pass_time(70)
    world.pod_dies("bird-train-0", 1, failure("RuntimeError", "boom"))
    world.job_fails("bird-train-0")
    world.pass_time(5)
    world.reconcile("FineTuneJob")
    job = world.objects["Job", "default", "bird-train-1"]
    assert job["spec"]["activeDeadlineSeconds"] == 30
    world.job_fails("bird-train-1", "DeadlineExceeded", "Job was active longer than specified deadline")
    world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "Succeeded")[:2] == ("False", "DeadlineExceeded")


def test_checkpoints_are_remembered(world: Any, documents: Any) -> None:
    start(world, documents)
    world.job_runs("bird-train-0")
    reported = world.reported
    reported["finetunejob-0002"] = {"type": "checkpoint", "time": "t", "step": 10, "checkpointStep": 10}
    assert "Checkpointed" in [event.reason for event in world.reconcile("FineTuneJob").events]
    reported["finetunejob-0002"] = {"type": "progress", "time": "t", "step": 12}
    world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "Checkpointed") == ("True", "CheckpointSaved", "step 10")
    assert world.status("FineTuneJob")["progress"] == {"step": 12, "totalSteps": 0, "percent": 0, "checkpointStep": 10}


@pytest.mark.parametrize(
    ("reason", "status", "event"), [("Compiled", "True", "Compiled"), ("CompileFailed", "False", "CompileFailed")]
)
def test_what_became_of_compiling_is_told_once(
    world: Any, documents: Any, reason: str, status: str, event: str
) -> None:
    start(world, documents)
    world.job_runs("bird-train-0")
    said = {"reason": reason, "message": "30 layers"}
    world.reported["finetunejob-0002"] = {"type": "compile", "time": "t", "compilation": said}
    assert event in [each.reason for each in world.reconcile("FineTuneJob").events]
    # An operator that has restarted knows only of reports since then.
    world.reported["finetunejob-0002"] = {"type": "progress", "time": "t", "step": 12}
    assert event not in [each.reason for each in world.reconcile("FineTuneJob").events]
    assert world.condition("FineTuneJob", "Compiled") == (status, reason, "30 layers")


def tracking(tracker: str, reason: str, message: str) -> dict[str, Any]:
    return {"type": "tracking", "time": "t", "tracking": {"tracker": tracker, "reason": reason, "message": message}}


def test_what_became_of_trackers_is_told_once_and_of_each(world: Any, documents: Any) -> None:
    asked = {"tensorboard": {}, "mlflow": {"trackingUri": "http://m"}}
    start(world, documents, training={"reportTo": asked})
    assert world.condition("FineTuneJob", "Tracked") == (
        "False",
        "NotStarted",
        "tensorboard: has not begun; mlflow: has not begun",
    )
    world.job_runs("bird-train-0")
    said = [tracking("mlflow", "TrackerFailed", "no route"), tracking("tensorboard", "Reporting", "files in f")]
    world.reported["finetunejob-0002"] = merge(said)
    events = [(each.type, each.reason) for each in world.reconcile("FineTuneJob").events]
    assert ("Warning", "TrackerFailed") in events
    # An operator that has restarted knows only of reports since then.
    world.reported["finetunejob-0002"] = {"type": "progress", "time": "t", "step": 12}
    world.reconcile("FineTuneJob")
    told = "mlflow: no route; tensorboard: files in f"
    assert world.condition("FineTuneJob", "Tracked") == ("False", "TrackerFailed", told)
    said += [tracking("mlflow", "Reporting", "http://m/1")]
    world.reported["finetunejob-0002"] = merge(said)
    world.reconcile("FineTuneJob")
    told = "mlflow: http://m/1; tensorboard: files in f"
    assert world.condition("FineTuneJob", "Tracked") == ("True", "Reporting", told)


def test_a_pod_that_no_node_takes_is_told_with_a_remedy(world: Any, documents: Any) -> None:
    start(world, documents)
    unscheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
    }
    job = world.objects["Job", "default", "bird-train-0"]
    job["status"] = {"active": 1, "ready": 0}
    world.pod(job, 0, {"waiting": {"reason": "PodInitializing"}}, conditions=[unscheduled])
    outcome = world.reconcile("FineTuneJob")
    status, reason, message = world.condition("FineTuneJob", "PodsReady")
    assert (status, reason) == ("False", "Unschedulable")
    assert "3 Insufficient nvidia.com/gpu" in message and "compute.gpus" in message
    assert "PodCannotStart" in [event.reason for event in outcome.events]


@pytest.mark.parametrize("left", ["not json", None])
def test_a_result_that_nobody_has_read_is_looked_for_by_one_more_attempt(
    world: Any, documents: Any, left: str | None
) -> None:
    """None: its pod is gone."""
    start(world, documents)
    for attempt in ("bird-train-0", "bird-train-1"):
        world.job_completes(attempt, left or "")
        if left is None:
            for key in [key for key in world.objects if key[0] == "Pod"]:
                del world.objects[key]
        outcome = world.reconcile("FineTuneJob")
        if attempt == "bird-train-0":
            assert world.condition("FineTuneJob", "Succeeded")[:2] == ("Unknown", "BackingOff")
            assert "nobody has read their result" in world.condition("FineTuneJob", "Running")[2]
            assert outcome.requeue_after == 30 and world.status("FineTuneJob")["restarts"]["user"] == 0
            world.pass_time(31)
            world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "Succeeded")[:2] == ("False", "ResultMissing")
    assert ("Job", "default", "bird-train-2") not in world.objects


def test_the_second_attempt_reports_what_the_first_has_left(world: Any, documents: Any) -> None:
    start(world, documents)
    artifact = {"uri": "pvc://swiftlet-artifacts/a", "digest": "sha256:a", "type": "adapter", "steps": 3}
    world.job_completes("bird-train-0", "")
    world.reconcile("FineTuneJob")
    world.pass_time(31)
    world.reconcile("FineTuneJob")
    world.job_completes("bird-train-1", {"artifact": artifact})
    world.reconcile("FineTuneJob")
    assert world.condition("FineTuneJob", "Succeeded")[:2] == ("True", "Trained")
    assert "failure" not in world.status("FineTuneJob")


def test_transition_times_move_only_when_a_status_flips(world: Any, documents: Any) -> None:
    start(world, documents)
    world.pass_time(60)
    world.job_runs("bird-train-0")
    world.reconcile("FineTuneJob")
    times = {c["type"]: from_text(c["lastTransitionTime"]) for c in world.status("FineTuneJob")["conditions"]}
    assert (times["Running"] - times["Accepted"]).total_seconds() == 60


def held(world: Any, **labels: str) -> dict[str, Any]:
    """The attempt's Job, suspended by somebody else."""
    job = world.objects["Job", "default", "bird-train-0"]
    job["metadata"]["labels"] |= labels
    job["spec"]["suspend"] = True
    job["spec"]["template"]["spec"] |= {"nodeSelector": {"pool": "h100"}, "tolerations": [{"operator": "Exists"}]}
    job["status"] = {"active": 0, "conditions": [{"type": "Suspended", "status": "True"}]}
    return job


@pytest.mark.parametrize("labels", [{}, {"kueue.x-k8s.io/queue-name": "team"}])
def test_a_job_that_somebody_else_suspends_is_left_to_them(
    world: Any, documents: Any, assert_fixpoint: Any, labels: dict[str, str]
) -> None:
    start(world, documents)
    world.job_runs("bird-train-0")
    world.reconcile("FineTuneJob")
    world.pod_dies("bird-train-0", 143, failure("Terminated", "SIGTERM", None))
    job = held(world, **labels)
    stored = json.dumps(job)
    reason = "Queued" if labels else "SuspendedByAnother"
    outcome = world.reconcile("FineTuneJob")
    assert ("Job", "bird-train-0") not in kinds(outcome) and not outcome.patches and not outcome.delete
    assert json.dumps(world.objects["Job", "default", "bird-train-0"]) == stored
    assert "failure" not in world.status("FineTuneJob"), "pods of a suspended Job do not fail"
    for type_, status in (
        ("Suspended", "True"),
        ("PodsReady", "False"),
        ("Running", "False"),
        ("Succeeded", "Unknown"),
    ):
        assert world.condition("FineTuneJob", type_)[:2] == (status, reason)
    del world.objects["Pod", "default", "bird-train-0-0-abcde"]
    assert_fixpoint(world, "FineTuneJob")
    job["spec"]["suspend"] = False  # they let it go on
    world.job_runs("bird-train-0")
    assert [event.reason for event in world.reconcile("FineTuneJob").events] == ["Started", "Resumed"]
    assert world.condition("FineTuneJob", "Succeeded")[1] == "Training"


def test_a_queued_run_is_stopped_by_deleting_its_job_and_goes_on_as_the_same_attempt(
    world: Any, documents: Any, assert_fixpoint: Any
) -> None:
    start(world, documents)
    world.pod_dies("bird-train-0", 1, failure("RuntimeError", "boom"))
    world.job_fails("bird-train-0")
    world.reconcile("FineTuneJob")
    world.pass_time(5)
    world.reconcile("FineTuneJob")
    world.objects["Job", "default", "bird-train-1"]["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = "team"
    resource = world.objects["FineTuneJob", "default", "bird"]
    resource["spec"]["suspend"] = True
    outcome = world.reconcile("FineTuneJob")
    assert [ref.name for ref in outcome.delete] == ["bird-train-1"] and not outcome.patches
    assert_fixpoint(world, "FineTuneJob")
    assert world.condition("FineTuneJob", "Suspended")[:2] == ("True", "UserRequested")
    assert world.condition("FineTuneJob", "Running")[:2] == ("False", "Suspended")
    assert world.status("FineTuneJob")["restarts"]["user"] == 1
    resource["spec"]["suspend"] = False
    assert kinds(world.reconcile("FineTuneJob"))[-1] == ("Job", "bird-train-1")
    assert world.objects["Job", "default", "bird-train-1"]["spec"]["suspend"] is False


@pytest.mark.parametrize("field", ["annotations", "digest", "nothing"])
def test_a_running_job_is_never_applied_again(world: Any, documents: Any, field: str) -> None:
    """Whatever was planned then and would be planned now: by another version, on another profile, or the same."""
    start(world, documents)
    job = world.objects["Job", "default", "bird-train-0"]
    world.job_runs("bird-train-0")
    if field == "annotations":
        job["metadata"]["annotations"] = {}  # of a version that wrote none
    if field == "digest":
        job["metadata"]["annotations"]["swiftlet.dev/plan-digest"] = "sha256:older"
    job["spec"]["template"]["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] = "u"
    for _ in range(2):
        outcome = world.reconcile("FineTuneJob")
        assert ("Job", "bird-train-0") not in kinds(outcome) and not outcome.patches and not outcome.delete


def test_a_changed_deadline_is_asked_for_and_nothing_else(world: Any, documents: Any) -> None:
    start(world, documents, activeDeadlineSeconds=100)
    held(world)
    world.objects["FineTuneJob", "default", "bird"]["spec"]["activeDeadlineSeconds"] = 200
    (patch,) = world.reconcile("FineTuneJob").patches
    assert patch.fields["spec"] == {"activeDeadlineSeconds": 200}
    assert world.objects["Job", "default", "bird-train-0"]["spec"]["suspend"] is True
