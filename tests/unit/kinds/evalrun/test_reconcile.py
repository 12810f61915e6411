from typing import Any

import pytest
from swiftlet.kinds.conditions.timestamps import to_text


def figures(value: str) -> dict[str, Any]:
    return {
        "results": [
            {"suite": "generation", "metric": "contains", "value": value, "n": 20},
            {"suite": "generation", "metric": "contains", "subject": "baseline", "value": "0.0", "n": 20},
        ],
        "report": {"uri": "pvc://a/report.html", "digest": "sha256:r"},
    }


def start(world: Any, documents: Any, **spec: Any) -> None:
    world.trained()
    world.add(documents["EvalRun"], **spec)
    world.reconcile("EvalRun")


def kinds(outcome: Any) -> list[tuple[str, str]]:
    return [(manifest["kind"], manifest["metadata"]["name"]) for manifest in outcome.desired]


def document(world: Any) -> dict[str, Any]:
    return dict(world.job_document("bird-eval"))


def test_it_waits_for_the_training_and_goes_on_by_itself(world: Any, documents: Any, assert_fixpoint: Any) -> None:
    world.add(documents["EvalRun"])
    outcome = world.reconcile("EvalRun")
    assert [c["type"] for c in outcome.status["conditions"]] == [
        "Accepted",
        "Running",
        "Suspended",
        "GatePassed",
        "Succeeded",
    ]
    assert world.condition("EvalRun", "Accepted")[:2] == ("Unknown", "ReferenceNotFound")
    world.add(documents["FineTuneJob"])
    world.reconcile("FineTuneJob")
    world.reconcile("EvalRun")
    status, reason, message = world.condition("EvalRun", "Succeeded")
    assert (status, reason) == ("Unknown", "WaitingForFineTuneJob")
    assert message == "waiting for FineTuneJob default/bird: JobCreating"
    assert_fixpoint(world, "EvalRun")
    world.trained()
    assert kinds(world.reconcile("EvalRun")) == [
        ("NetworkPolicy", "bird-eval"),
        ("Job", "bird-eval"),
    ]
    assert world.status("EvalRun")["targetDigest"] == "sha256:aaaa"


def test_it_tells_of_a_failed_training_and_recovers(world: Any, documents: Any) -> None:
    world.add(documents["FineTuneJob"])
    failed = {"type": "Succeeded", "status": "False", "reason": "Diverged", "message": "NaN at step 3"}
    world.objects["FineTuneJob", "default", "bird"]["status"] = {"conditions": [failed]}
    world.add(documents["EvalRun"])
    world.reconcile("EvalRun")
    status, reason, message = world.condition("EvalRun", "Succeeded")
    assert (status, reason) == ("False", "UpstreamFailed")
    assert "FineTuneJob default/bird failed: Diverged: NaN at step 3" in message
    world.trained()
    assert len(world.reconcile("EvalRun").desired) == 2
    assert world.condition("EvalRun", "Succeeded")[0] == "Unknown"


def test_a_run_whose_node_is_not_heard_from(world: Any, documents: Any) -> None:
    start(world, documents)
    world.job_runs("bird-eval", container="evaluate")
    world.reconcile("EvalRun")
    world.lose_node("bird-eval-abcde")
    assert [event.reason for event in world.reconcile("EvalRun").events] == ["NodeLost"]
    assert world.condition("EvalRun", "Running")[:2] == ("Unknown", "NodeLost")


@pytest.mark.parametrize(("value", "passed"), [("0.95", True), ("0.5", False)])
def test_from_start_to_gate(world: Any, documents: Any, assert_fixpoint: Any, value: str, passed: bool) -> None:
    start(world, documents)
    world.job_runs("bird-eval", container="evaluate")
    assert "Started" in [event.reason for event in world.reconcile("EvalRun").events]
    assert_fixpoint(world, "EvalRun")
    world.job_completes("bird-eval", figures(value), container="evaluate")
    outcome = world.reconcile("EvalRun")
    verdict = "True" if passed else "False"
    assert world.condition("EvalRun", "GatePassed")[0] == verdict
    assert world.condition("EvalRun", "Succeeded")[:2] == (verdict, "Evaluated" if passed else "GateFailed")
    assert f"generation contains {value} (baseline 0)" in world.condition("EvalRun", "Succeeded")[2]
    assert outcome.status["gates"][0]["passed"] is passed
    assert outcome.status["report"]["digest"] == "sha256:r"
    assert {event.reason for event in outcome.events} == (
        {"GatePassed", "Succeeded"} if passed else {"GateFailed", "Failed"}
    )
    assert outcome.status["completionTime"] == to_text(world.now)
    assert_fixpoint(world, "EvalRun")


def test_documents_of_adapter_and_base(world: Any, documents: Any) -> None:
    start(world, documents)
    said = document(world)
    assert said["target"] == {
        "model": {"uri": "hf://org/model", "repoId": "org/model"},
        "adapterPath": "/swiftlet/artifacts/default/finetunejobs/bird-finetune/artifact",
        "digest": "sha256:aaaa",
    }
    assert said["baseline"] == {"model": {"uri": "hf://org/model", "repoId": "org/model"}}
    assert said["suites"][0]["name"] == "generation"
    assert said["suites"][0]["path"] == "/swiftlet/data/0/test.jsonl"


def test_document_of_a_fully_trained_model(world: Any, documents: Any) -> None:
    world.trained(type="model")
    world.add(documents["EvalRun"])
    world.reconcile("EvalRun")
    said = document(world)
    assert said["target"]["model"]["path"] == "/swiftlet/artifacts/default/finetunejobs/bird-finetune/artifact"
    assert "adapterPath" not in said["target"]


@pytest.mark.parametrize(
    ("model", "count", "words"),
    [
        ({"uri": "hf://org/model"}, 1, "1 suite on the model at hf://org/model"),
        ({"uri": "hf://org/model", "adapterUri": "pvc://a/bird"}, 2, "2 suites on the model at pvc://a/bird"),
    ],
)
def test_what_is_planned_is_said_in_words(world: Any, documents: Any, model: Any, count: int, words: str) -> None:
    suite = documents["EvalRun"]["spec"]["suites"][0]
    suites = [{**suite, "name": f"s{number}"} for number in range(count)]
    world.add(documents["EvalRun"], target={"model": model}, suites=suites, gates=[])
    world.reconcile("EvalRun")
    assert world.condition("EvalRun", "Accepted") == ("True", "Planned", words)


def test_document_of_models_by_uri(world: Any, documents: Any) -> None:
    target = {"model": {"uri": "pvc://models/a", "adapterUri": "pvc://adapters/b"}}
    world.add(documents["EvalRun"], target=target, baseline={"model": {"uri": "pvc://models/c"}})
    world.reconcile("EvalRun")
    said = document(world)
    assert said["target"]["model"]["path"] == "/swiftlet/sources/target-model/a"
    assert said["target"]["adapterPath"] == "/swiftlet/sources/target-adapter/b"
    assert said["baseline"]["model"]["path"] == "/swiftlet/sources/baseline-model/c"
    mounts = world.objects["Job", "default", "bird-eval"]["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert {"name": "target-adapter", "mountPath": "/swiftlet/sources/target-adapter", "readOnly": True} in mounts


def test_another_artifact_is_evaluated_again(world: Any, documents: Any, assert_fixpoint: Any) -> None:
    start(world, documents)
    world.job_completes("bird-eval", figures("0.95"), container="evaluate")
    world.reconcile("EvalRun")
    del world.objects["FineTuneJob", "default", "bird"]
    world.add(documents["FineTuneJob"])
    world.reconcile("EvalRun")
    assert world.condition("EvalRun", "Succeeded")[0] == "True"
    world.trained(digest="sha256:bbbb")
    outcome = world.reconcile("EvalRun")
    assert [ref.name for ref in outcome.delete] == ["bird-eval"]
    assert world.condition("EvalRun", "GatePassed")[:2] == ("Unknown", "NotEvaluated")
    for key in [key for key in world.objects if key[0] == "Pod"]:
        del world.objects[key]
    assert kinds(world.reconcile("EvalRun"))[-1] == ("Job", "bird-eval")
    assert world.status("EvalRun")["targetDigest"] == "sha256:bbbb"
    assert_fixpoint(world, "EvalRun")


def test_it_is_not_done_again_when_its_children_are_gone(world: Any, documents: Any) -> None:
    start(world, documents)
    world.job_completes("bird-eval", figures("0.5"), container="evaluate")
    world.reconcile("EvalRun")
    for key in [key for key in world.objects if key[0] in ("Job", "Pod") or key[2] == "bird-eval"]:
        del world.objects[key]
    assert world.reconcile("EvalRun").desired == []
    assert world.condition("EvalRun", "Succeeded")[1] == "GateFailed"


def test_bad_input_fails_the_run_with_its_message(world: Any, documents: Any) -> None:
    start(world, documents)
    world.pod_dies("bird-eval", 2, {"failure": {"reason": "InvalidInput", "message": "row 7: no answer"}})
    world.job_fails("bird-eval", "PodFailurePolicy")
    world.reconcile("EvalRun")
    status, reason, message = world.condition("EvalRun", "Succeeded")
    assert (status, reason) == ("False", "InvalidInput")
    assert "row 7: no answer" in message
    assert world.condition("EvalRun", "GatePassed")[0] == "Unknown"


def test_a_pod_that_was_stopped_with_the_machine_has_not_failed(world: Any, documents: Any) -> None:
    start(world, documents)
    drained = [{"type": "DisruptionTarget", "status": "True", "message": "asked to stop"}]
    world.pod_dies("bird-eval", 143, {"failure": {"reason": "Terminated", "message": "SIGTERM"}}, conditions=drained)
    world.reconcile("EvalRun")
    assert world.condition("EvalRun", "Succeeded") == ("Unknown", "Stopped", "asked to stop")
    assert "failure" not in world.status("EvalRun")


def test_suspend(world: Any, documents: Any, assert_fixpoint: Any) -> None:
    start(world, documents, suspend=True)
    assert ("Job", "default", "bird-eval") not in world.objects
    assert world.condition("EvalRun", "Suspended")[:2] == ("True", "UserRequested")
    assert world.condition("EvalRun", "Running")[:2] == ("False", "Suspended")
    assert_fixpoint(world, "EvalRun")
    spec = world.objects["EvalRun", "default", "bird"]["spec"]
    spec["suspend"] = False
    world.reconcile("EvalRun")
    job = world.objects["Job", "default", "bird-eval"]
    assert job["spec"]["suspend"] is False
    spec["suspend"] = True
    assert world.reconcile("EvalRun").patches[0].fields["spec"] == {"suspend": True}
    job["status"] = {"conditions": [{"type": "Suspended", "status": "True"}]}
    world.reconcile("EvalRun")
    assert world.condition("EvalRun", "Suspended")[:2] == ("True", "UserRequested")
    assert_fixpoint(world, "EvalRun")


@pytest.mark.parametrize("queue", [None, "team"])
def test_a_job_that_somebody_else_suspends_is_left_to_them(
    world: Any, documents: Any, assert_fixpoint: Any, queue: str | None
) -> None:
    start(world, documents)
    job = world.objects["Job", "default", "bird-eval"]
    job["metadata"]["labels"] |= {"kueue.x-k8s.io/queue-name": queue} if queue else {}
    job["spec"]["suspend"] = True
    job["metadata"]["annotations"]["swiftlet.dev/plan-digest"] = "sha256:of-another-version"
    world.pod_dies("bird-eval", 143, "stopped")
    outcome = world.reconcile("EvalRun")
    assert outcome.desired == [] and not outcome.patches and not outcome.delete
    assert "failure" not in world.status("EvalRun")
    reason = "Queued" if queue else "SuspendedByAnother"
    assert world.condition("EvalRun", "Suspended")[:2] == ("Unknown", reason), "its pod is still there"
    del world.objects["Pod", "default", "bird-eval-abcde"]
    world.reconcile("EvalRun")
    for type_, status in (("Suspended", "True"), ("Running", "False"), ("Succeeded", "Unknown")):
        assert world.condition("EvalRun", type_)[:2] == (status, reason)
    assert_fixpoint(world, "EvalRun")
    world.objects["EvalRun", "default", "bird"]["spec"]["suspend"] = True
    outcome = world.reconcile("EvalRun")
    assert (bool(outcome.delete), bool(outcome.patches)) == ((True, False) if queue else (False, True))


def test_what_was_measured_of_one_artifact_does_not_count_for_another_whatever_is_written_on_the_job(
    world: Any, documents: Any
) -> None:
    start(world, documents)
    world.job_completes("bird-eval", figures("0.95"), container="evaluate")
    world.trained(digest="sha256:bbbb")
    world.objects["Job", "default", "bird-eval"]["metadata"]["annotations"]["swiftlet.dev/target-digest"] = (
        "sha256:bbbb"
    )
    outcome = world.reconcile("EvalRun")
    assert [ref.name for ref in outcome.delete] == ["bird-eval"]
    assert world.condition("EvalRun", "GatePassed")[0] == "Unknown"


def test_more_memory_and_more_retries_let_a_failed_evaluation_be_tried_again(world: Any, documents: Any) -> None:
    start(world, documents, backoffLimit=0)
    world.pod_dies("bird-eval", 137, "", reason="OOMKilled", container="evaluate")
    world.job_fails("bird-eval")
    world.reconcile("EvalRun")
    assert "or lower batchSize" in world.condition("EvalRun", "Succeeded")[2]
    spec = world.objects["EvalRun", "default", "bird"]["spec"]
    spec["compute"] = {**spec["compute"], "resources": {"limits": {"memory": "16Gi"}}}
    world.pass_time(5)
    assert world.reconcile("EvalRun").desired == [], "an edit alone starts nothing"
    spec["backoffLimit"] = 1
    world.reconcile("EvalRun")
    (container,) = world.objects["Job", "default", "bird-eval-1"]["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == "16Gi"


@pytest.mark.parametrize("runs", [True, False])
def test_what_is_changed_before_the_pod_works_is_used_and_later_is_for_the_next_try(
    world: Any, documents: Any, runs: bool
) -> None:
    start(world, documents)
    if runs:
        world.job_runs("bird-eval", container="evaluate")
        world.reconcile("EvalRun")
    world.objects["EvalRun", "default", "bird"]["spec"]["batchSize"] = 1
    assert bool(world.reconcile("EvalRun").delete) is not runs


def test_trackers_get_keys_and_the_status_says_what_became_of_them(world: Any, documents: Any) -> None:
    start(world, documents, reportTo={"wandb": {"secretRef": {"name": "keys"}}})
    told = document(world)
    assert (told["schemaVersion"], told["fineTuneJob"]) == ("1.1", "bird")
    assert told["reportTo"]["wandb"]["secretRef"] == {"name": "keys"}
    spec = world.objects["Job", "default", "bird-eval"]["spec"]["template"]["spec"]
    keys = [one["name"] for one in spec["containers"][0]["env"] if "secretKeyRef" in str(one)]
    assert keys == ["WANDB_API_KEY"]
    assert "secretKeyRef" not in str(spec["initContainers"])
    assert world.condition("EvalRun", "Tracked") == ("False", "NotStarted", "wandb: has not begun")
    world.job_runs("bird-eval", container="evaluate")
    said = {"tracker": "wandb", "reason": "TrackerFailed", "message": "no route"}
    world.reported[world.objects["EvalRun", "default", "bird"]["metadata"]["uid"]] = {
        "type": "tracking", "time": "t", "tracking": {"wandb": said}
    }  # fmt: skip
    assert ("Warning", "TrackerFailed") in [(one.type, one.reason) for one in world.reconcile("EvalRun").events]
    assert world.condition("EvalRun", "Tracked") == ("False", "TrackerFailed", "wandb: no route")


def test_without_trackers_an_earlier_release_reads_the_document(world: Any, documents: Any) -> None:
    start(world, documents)
    assert not {"schemaVersion", "reportTo", "fineTuneJob"} & set(document(world))
    assert "Tracked" not in [one["type"] for one in world.status("EvalRun")["conditions"]]
