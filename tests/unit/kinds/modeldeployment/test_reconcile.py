import json
from typing import Any

import pytest
from swiftlet.kinds import Capabilities
from swiftlet.kinds.conditions.summary import settled

DEPLOYED = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}

CHILDREN = ["ConfigMap", "ControllerRevision", "Service", "NetworkPolicy", "Deployment"]

DRAINED = [{"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet", "message": "asked to stop"}]


def start(world: Any, documents: Any, **spec: Any) -> None:
    world.trained()
    world.evaluated()
    world.add(documents["ModelDeployment"], **spec)
    world.reconcile("ModelDeployment")


def child(world: Any) -> dict[str, Any]:
    return world.objects["Deployment", "default", "bird-serve"]


def rolls_out(world: Any, **counts: int) -> None:
    child(world)["status"] = {"observedGeneration": child(world)["metadata"]["generation"], **DEPLOYED, **counts}


def kinds(outcome: Any) -> list[str]:
    return [manifest["kind"] for manifest in outcome.desired]


def document(world: Any) -> dict[str, Any]:
    return world.job_document("bird-serve")


def uid(world: Any) -> str:
    return world.objects["ModelDeployment", "default", "bird"]["metadata"]["uid"]


def test_from_waiting_to_ready(world: Any, documents: Any, assert_fixpoint: Any) -> None:
    world.add(documents["ModelDeployment"])
    outcome = world.reconcile("ModelDeployment")
    assert [c["type"] for c in outcome.status["conditions"]] == ["Accepted", "GatesPassed", "Progressing", "Ready"]
    assert world.condition("ModelDeployment", "Ready")[:2] == ("False", "ReferenceNotFound")
    assert settled(world.objects["ModelDeployment", "default", "bird"]) is None
    world.trained()
    world.add(documents["EvalRun"])
    world.reconcile("EvalRun")
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Accepted")[0] == "True"
    status, reason, message = world.condition("ModelDeployment", "GatesPassed")
    assert (status, reason) == ("Unknown", "WaitingForEvalRun")
    assert message == "waiting for EvalRun default/bird: JobCreating"
    assert_fixpoint(world, "ModelDeployment")
    world.evaluated()
    outcome = world.reconcile("ModelDeployment")
    assert kinds(outcome) == CHILDREN
    world.reported[uid(world)] = {"type": "phase", "time": "t", "message": "loading the model"}
    world.reconcile("ModelDeployment")
    assert world.status("ModelDeployment")["progress"] == "loading the model"
    assert world.condition("ModelDeployment", "Progressing")[:2] == ("True", "RollingOut")
    rolls_out(world)
    world.reported[uid(world)] |= {"type": "serving", "engine": "transformers", "reason": "vllm is not installed"}
    outcome = world.reconcile("ModelDeployment")
    assert "Ready" in [event.reason for event in outcome.events]
    assert world.condition("ModelDeployment", "Ready") == (
        "True",
        "Available",
        "each served name answers on transformers (vllm is not installed)",
    )
    status = outcome.status
    assert status["url"] == "http://bird-serve.default.svc:8000/v1"
    assert status["servedNames"] == ["base", "bird"]
    assert status["engine"] == "transformers"
    assert status["modelDigest"] == "sha256:aaaa"
    assert "progress" not in status
    assert_fixpoint(world, "ModelDeployment")
    assert settled(world.objects["ModelDeployment", "default", "bird"]) == "succeeded"


def test_a_failed_gate_holds_the_model_back_with_its_figures(world: Any, documents: Any, assert_fixpoint: Any) -> None:
    world.trained()
    world.evaluated(passed=False)
    world.add(documents["ModelDeployment"])
    outcome = world.reconcile("ModelDeployment")
    assert outcome.desired == []
    for type_ in ("GatesPassed", "Progressing", "Ready"):
        assert world.condition("ModelDeployment", type_) == (
            "False",
            "GateFailed",
            "EvalRun default/bird: contains 0.5: min 0.8 missed by 0.3",
        )
    assert settled(world.objects["ModelDeployment", "default", "bird"]) == "failed"
    assert_fixpoint(world, "ModelDeployment")
    world.evaluated()
    assert kinds(world.reconcile("ModelDeployment")) == CHILDREN


def test_an_evaluation_that_failed_without_figures(world: Any, documents: Any) -> None:
    world.trained()
    run = world.add(documents["EvalRun"])
    failed = {"type": "Succeeded", "status": "False", "reason": "InvalidInput", "message": "row 7"}
    run["status"] = {"conditions": [failed, {"type": "GatePassed", "status": "Unknown", "reason": "NotEvaluated"}]}
    world.add(documents["ModelDeployment"])
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Ready")[:2] == ("False", "EvalRunFailed")


def test_a_gate_speaks_only_for_the_artifact_that_it_measured(world: Any, documents: Any) -> None:
    world.trained(digest="sha256:bbbb")
    world.evaluated(digest="sha256:aaaa")
    world.add(documents["ModelDeployment"])
    assert world.reconcile("ModelDeployment").desired == []
    status, reason, message = world.condition("ModelDeployment", "GatesPassed")
    assert (status, reason) == ("Unknown", "WaitingForEvalRun")
    assert "measured sha256:aaaa, but the artifact is sha256:bbbb" in message


def test_the_last_rollout_serves_while_the_next_one_is_held_back(
    world: Any, documents: Any, assert_fixpoint: Any
) -> None:
    start(world, documents)
    rolls_out(world)
    world.reconcile("ModelDeployment")
    before = json.dumps(child(world)["spec"])
    world.trained(digest="sha256:bbbb")
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Ready")[:2] == ("True", "Available")
    assert "the last rollout serves" in world.condition("ModelDeployment", "Ready")[2]
    assert world.status("ModelDeployment")["modelDigest"] == "sha256:aaaa"
    world.evaluated(passed=False, digest="sha256:bbbb")
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Ready")[:2] == ("False", "GateFailed")
    assert "goes on serving" in world.condition("ModelDeployment", "Ready")[2]
    assert json.dumps(child(world)["spec"]) == before
    assert_fixpoint(world, "ModelDeployment")
    world.evaluated(digest="sha256:bbbb")
    world.reconcile("ModelDeployment")
    assert json.dumps(child(world)["spec"]) != before
    assert world.condition("ModelDeployment", "Progressing")[:2] == ("True", "RollingOut")


def test_a_changed_document_rolls_the_pods(world: Any, documents: Any) -> None:
    start(world, documents)
    before = child(world)["spec"]["template"]["metadata"]["labels"]["swiftlet.dev/document"]
    world.objects["ModelDeployment", "default", "bird"]["spec"]["engine"]["maxModelLength"] = 512
    world.reconcile("ModelDeployment")
    assert child(world)["spec"]["template"]["metadata"]["labels"]["swiftlet.dev/document"] != before
    rolls_out(world)
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Ready")[0] == "True"


def test_readiness_is_about_the_present_plan(world: Any, documents: Any) -> None:
    start(world, documents)
    rolls_out(world)
    child(world)["status"]["observedGeneration"] = 0
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Ready")[:2] == ("False", "RollingOut")
    rolls_out(world, replicas=2)
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Ready")[0] == "False"


def test_a_lost_pod_is_told(world: Any, documents: Any) -> None:
    start(world, documents)
    rolls_out(world)
    world.reconcile("ModelDeployment")
    rolls_out(world, readyReplicas=0, availableReplicas=0)
    outcome = world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Ready") == ("False", "Unavailable", "0 of 1 pods are ready")
    assert "NotReady" in [event.reason for event in outcome.events]


def test_a_server_that_was_stopped_with_the_machine_has_not_failed(
    world: Any, documents: Any, assert_fixpoint: Any
) -> None:
    start(world, documents)
    rolls_out(world)
    world.reported[uid(world)] = {"type": "phase", "time": "t", "message": "serving"}
    world.reconcile("ModelDeployment")
    rolls_out(world, replicas=0, updatedReplicas=0, readyReplicas=0, availableReplicas=0)
    ended = {"exitCode": 143, "message": "", "finishedAt": "2026-01-01T00:00:00Z", "reason": "Error"}
    world.pod(child(world), 0, {"terminated": ended}, container="serve", conditions=DRAINED)
    outcome = world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Ready") == ("False", "Stopped", "asked to stop")
    assert world.condition("ModelDeployment", "Progressing")[:2] == ("Unknown", "Stopped")
    assert "failure" not in outcome.status and "progress" not in outcome.status
    assert settled(world.objects["ModelDeployment", "default", "bird"]) is None
    assert [(event.type, event.reason) for event in outcome.events] == [("Normal", "NotReady")]
    assert_fixpoint(world, "ModelDeployment")


def test_the_cause_of_a_server_that_died_is_still_told_when_it_is_stopped(
    world: Any, documents: Any, assert_fixpoint: Any
) -> None:
    start(world, documents)
    rolls_out(world, readyReplicas=0, availableReplicas=0)
    died = {"exitCode": 1, "message": "no such adapter", "finishedAt": "2026-01-01T00:00:00Z", "reason": "Error"}
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    world.pod(child(world), 0, waiting, container="serve", lastState={"terminated": died}, restartCount=1)
    world.reconcile("ModelDeployment")
    failure = world.objects["ModelDeployment", "default", "bird"]["status"]["failure"]
    world.pod(child(world), 0, waiting, container="serve", conditions=DRAINED)["status"]["phase"] = "Failed"
    for _ in range(2):
        assert world.reconcile("ModelDeployment").status["failure"] == failure
        status, reason, message = world.condition("ModelDeployment", "Ready")
        assert (status, reason) == ("False", "Stopped")
        assert "no such adapter" in message and message.endswith("; then asked to stop")
    assert_fixpoint(world, "ModelDeployment")


@pytest.mark.parametrize(("exit_code", "restarts", "settles"), [(2, 1, "failed"), (1, 1, None), (1, 3, "failed")])
def test_a_server_that_dies(world: Any, documents: Any, exit_code: int, restarts: int, settles: str | None) -> None:
    start(world, documents)
    rolls_out(world, readyReplicas=0, availableReplicas=0)
    message = json.dumps({"failure": {"reason": "EngineDied", "message": "ValueError: unknown quantization"}})
    ended = {"exitCode": exit_code, "message": message, "finishedAt": "2026-01-01T00:00:00Z", "reason": "Error"}
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    world.pod(child(world), 0, waiting, container="serve", restartCount=restarts, lastState={"terminated": ended})
    outcome = world.reconcile("ModelDeployment")
    status, reason, said = world.condition("ModelDeployment", "Ready")
    assert (status, reason) == ("False", "ServerFailed")
    assert "EngineDied: ValueError: unknown quantization" in said and f"{restarts} restarts" in said
    assert outcome.status["failure"]["exitCode"] == exit_code
    assert settled(world.objects["ModelDeployment", "default", "bird"]) == settles
    rolls_out(world)
    outcome = world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Ready")[0] == "True"
    assert "failure" not in outcome.status


def test_a_rollout_that_stalls(world: Any, documents: Any) -> None:
    start(world, documents)
    rolls_out(world, readyReplicas=0, availableReplicas=0)
    child(world)["status"]["conditions"] = [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    ]
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Progressing") == ("False", "ProgressDeadlineExceeded", "timed out")
    assert settled(world.objects["ModelDeployment", "default", "bird"]) == "failed"


def test_replicas_and_disruption_budget(world: Any, documents: Any) -> None:
    start(world, documents, replicas=2)
    assert ("PodDisruptionBudget", "default", "bird-serve") in world.objects
    world.objects["ModelDeployment", "default", "bird"]["spec"]["replicas"] = 1
    outcome = world.reconcile("ModelDeployment")
    assert [ref.kind for ref in outcome.delete] == ["PodDisruptionBudget"]
    assert child(world)["spec"]["replicas"] == 1


def test_scaled_to_zero(world: Any, documents: Any) -> None:
    start(world, documents, replicas=0)
    rolls_out(world, replicas=0, updatedReplicas=0, readyReplicas=0, availableReplicas=0)
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Ready")[:2] == ("False", "ScaledToZero")
    assert settled(world.objects["ModelDeployment", "default", "bird"]) == "succeeded"


def test_engine_limits_and_url(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities(
        max_replicas=1, provisions_claims=True, shared_network=True, service_url="http://127.0.0.1:{port}/v1"
    )
    start(world, documents, replicas=2)
    assert world.condition("ModelDeployment", "Accepted")[:2] == ("False", "TooManyReplicas")
    world.objects["ModelDeployment", "default", "bird"]["spec"]["replicas"] = 1
    world.reconcile("ModelDeployment")
    world.reconcile("ModelDeployment")
    assert child(world)["spec"]["strategy"] == {"type": "Recreate"}
    assert world.status("ModelDeployment")["url"] == "http://127.0.0.1:8000/v1"


def test_documents_of_adapter_base_and_names(world: Any, documents: Any) -> None:
    adapters = [{"name": "other", "uri": "pvc://adapters/other", "gate": "Exempt"}]
    api = {"baseServedName": "smol", "servedName": "apus", "port": 9000}
    start(world, documents, adapters=adapters, api=api)
    said = document(world)
    assert said["modelNames"] == ["smol"]
    assert said["model"]["repoId"] == "org/model"
    assert said["adapters"] == [
        {
            "name": "apus",
            "path": "/swiftlet/artifacts/default/finetunejobs/bird-finetune/artifact",
            "digest": "sha256:aaaa",
        },
        {"name": "other", "path": "/swiftlet/sources/adapter-1/other"},
    ]
    assert said["port"] == 9000
    assert 10000 <= said["healthPort"] < 20000
    assert world.status("ModelDeployment")["servedNames"] == ["smol", "apus", "other"]


def test_how_tools_are_called_is_told_to_the_server(world: Any, documents: Any) -> None:
    start(world, documents, api={"agentTemplate": "hermes", "toolParser": "xlam", "reasoningParser": "qwen3"})
    told = document(world)
    assert (told["agentTemplate"], told["toolParser"], told["reasoningParser"]) == ("hermes", "xlam", "qwen3")
    assert told["schemaVersion"] == "1.1"


def test_document_of_a_whole_model(world: Any, documents: Any) -> None:
    world.trained(type="model")
    world.evaluated()
    world.add(documents["ModelDeployment"])
    world.reconcile("ModelDeployment")
    said = document(world)
    assert said["model"]["path"] == "/swiftlet/artifacts/default/finetunejobs/bird-finetune/artifact"
    assert (said["modelNames"], said["adapters"]) == (["bird"], [])


def test_document_of_a_model_by_uri(world: Any, documents: Any) -> None:
    world.add(documents["ModelDeployment"], model={"uri": "hf://org/model"}, requires=[], api={"baseServedName": "b"})
    world.reconcile("ModelDeployment")
    assert document(world)["modelNames"] == ["bird", "b"]
    assert world.condition("ModelDeployment", "GatesPassed")[:2] == ("True", "NoGates")


def test_the_api_key_is_mounted_and_never_read(world: Any, documents: Any) -> None:
    start(world, documents, api={"apiKey": {"secretRef": {"name": "keys", "key": "token"}}})
    assert document(world)["apiKeyFile"] == "/swiftlet/secrets/0/token"
    volumes = child(world)["spec"]["template"]["spec"]["volumes"]
    items = [{"key": "token", "path": "token"}]
    secret = {"secretName": "keys", "items": items, "defaultMode": 0o440}
    assert {"name": "api-key", "secret": secret} in volumes


@pytest.mark.parametrize("number", [0, 3])
def test_pods_that_another_hand_has_scaled_are_left_to_it(
    world: Any, documents: Any, assert_fixpoint: Any, number: int
) -> None:
    start(world, documents, replicas=1)
    rolls_out(world)
    world.reconcile("ModelDeployment")
    child(world)["spec"]["replicas"] = number
    entry = {"manager": "kube-controller-manager", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    child(world)["metadata"]["managedFields"] = [entry]
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), number)
    rolls_out(world, **counts)
    outcome = world.reconcile("ModelDeployment")
    assert outcome.desired[-1]["spec"].get("replicas") == (None if number else 0) and not outcome.patches
    assert child(world)["spec"]["replicas"] == number
    status, reason, message = world.condition("ModelDeployment", "Ready")
    assert (status, reason) == (("True", "Available") if number else ("False", "ScaledToZero"))
    assert (
        f"{number} replicas are set on the Deployment by kube-controller-manager, not by spec.replicas (1)" in message
    )
    assert world.status("ModelDeployment")["replicas"] == number
    assert (("PodDisruptionBudget", "default", "bird-serve") in world.objects) == (number > 1)
    assert_fixpoint(world, "ModelDeployment")
    world.trained(digest="sha256:bbbb")  # a new rollout leaves the number alone, too
    world.evaluated(digest="sha256:bbbb")
    world.reconcile("ModelDeployment")
    assert child(world)["spec"]["replicas"] == number
    world.objects["ModelDeployment", "default", "bird"]["spec"]["replicas"] = 2
    world.reconcile("ModelDeployment")
    assert child(world)["spec"]["replicas"] == 2
    assert "another" not in world.condition("ModelDeployment", "Ready")[2]


def test_fewer_pods_than_another_hand_wants_are_not_ready(world: Any, documents: Any) -> None:
    start(world, documents, replicas=1)
    rolls_out(world)
    world.reconcile("ModelDeployment")
    child(world)["spec"]["replicas"] = 3
    rolls_out(world)
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Ready")[:2] == ("False", "Unavailable")
    assert "1 of 3 pods are ready; 3 replicas are set" in world.condition("ModelDeployment", "Ready")[2]


def test_a_rollout_that_is_held_back_can_be_scaled_and_is_not_applied(world: Any, documents: Any) -> None:
    start(world, documents)
    rolls_out(world)
    world.reconcile("ModelDeployment")
    world.trained(digest="sha256:bbbb")
    outcome = world.reconcile("ModelDeployment")
    assert outcome.desired == [] and outcome.patches == []
    world.objects["ModelDeployment", "default", "bird"]["spec"]["replicas"] = 2
    (patch,) = world.reconcile("ModelDeployment").patches
    assert patch.fields["spec"] == {"replicas": 2}
    assert child(world)["spec"]["replicas"] == 2
    assert world.reconcile("ModelDeployment").patches == []


def test_autoscalers_find_the_pods_by_the_selector(world: Any, documents: Any) -> None:
    start(world, documents)
    labels = child(world)["spec"]["template"]["metadata"]["labels"]
    selector = world.status("ModelDeployment")["selector"]
    assert all(labels[name] == value for name, value in (pair.split("=") for pair in selector.split(",")))
