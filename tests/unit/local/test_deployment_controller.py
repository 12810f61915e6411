"""Decisions about Deployments."""

from datetime import UTC, datetime, timedelta
from typing import Any

from swiftlet.local.decisions import PodDecision
from swiftlet.local.deployment_controller import HASH_LABEL, decide, template_hash

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def deployment(image: str = "a", replicas: int = 1, **parts: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "ns", "uid": "u", "generation": 1, "resourceVersion": "7"},
        "spec": {"replicas": replicas, "template": template, "progressDeadlineSeconds": 60},
        **parts,
    }


def pod(name: str, owner: dict[str, Any], ready: bool = False, phase: str = "Running", **extra: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {HASH_LABEL: template_hash(owner)}, **extra},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def reason(decision: PodDecision, type_: str) -> tuple[str, str]:
    found = next(c for c in decision.status["conditions"] if c["type"] == type_)
    return found["status"], found["reason"]


def test_missing_pods_are_made() -> None:
    made = decide(deployment(replicas=2), [], NOW).create
    assert len({pod["metadata"]["name"] for pod in made}) == 2
    assert made[0]["metadata"]["labels"] == {"app": "x", HASH_LABEL: template_hash(deployment())}


def test_available_when_all_are_ready() -> None:
    owner = deployment()
    decision = decide(owner, [pod("p", owner, ready=True)], NOW)
    assert decision.status["availableReplicas"] == 1
    assert reason(decision, "Available") == ("True", "MinimumReplicasAvailable")
    assert reason(decision, "Progressing") == ("True", "NewReplicaSetAvailable")


def test_a_new_template_waits_until_the_old_pod_is_gone() -> None:
    old = pod("old", deployment("a"), ready=True)
    first = decide(deployment("b"), [old], NOW)
    assert first.delete == [old] and first.create == []
    old["metadata"]["deletionTimestamp"] = "2026-01-31T12:00:00Z"
    assert decide(deployment("b"), [old], NOW).create == []
    assert len(decide(deployment("b"), [], NOW).create) == 1


def test_surplus_pods_go_unready_ones_first() -> None:
    owner = deployment()
    pods = [pod("a", owner), pod("b", owner, ready=True)]
    assert [gone["metadata"]["name"] for gone in decide(owner, pods, NOW).delete] == ["a"]


def test_an_ended_pod_is_replaced() -> None:
    owner = deployment()
    assert [p["metadata"]["name"] for p in decide(owner, [pod("a", owner, phase="Failed")], NOW).delete] == ["a"]


def test_no_progress_within_the_deadline() -> None:
    owner = deployment()
    first = decide(owner, [pod("p", owner)], NOW)
    assert first.requeue_after == 60
    owner["status"] = first.status
    late = decide(owner, [pod("p", owner)], NOW + timedelta(seconds=61))
    assert reason(late, "Progressing") == ("False", "ProgressDeadlineExceeded")
    owner["status"] = late.status
    assert reason(decide(owner, [pod("p", owner, ready=True)], NOW), "Progressing")[0] == "True"


def test_a_status_that_says_the_same_is_the_same() -> None:
    owner = deployment()
    owner["status"] = decide(owner, [pod("p", owner, ready=True)], NOW).status
    assert decide(owner, [pod("p", owner, ready=True)], NOW + timedelta(hours=1)).status == owner["status"]
