"""Servers in a queue: each pod is held by a scheduling gate until Kueue has quota for it."""

from typing import Any

from swiftlet.kinds.conditions.summary import settled
from swiftlet.kinds.observing.kueue import workload_names

GATES = [{"name": "kueue.x-k8s.io/admission"}]
MANAGED = {"kueue.x-k8s.io/managed": "true"}


def start(world: Any, documents: Any) -> dict[str, Any]:
    """A server that was made; its Deployment."""
    world.trained()
    world.evaluated()
    world.add(documents["ModelDeployment"], queue={"name": "team"})
    world.reconcile("ModelDeployment")
    child: dict[str, Any] = world.objects["Deployment", "default", "bird-serve"]
    return child


def pod(world: Any, child: dict[str, Any], index: int, gated: bool) -> dict[str, Any]:
    """A pod as Kueue's webhook leaves it."""
    state = {"waiting": {"reason": "ContainerCreating"}} if gated else {"running": {}}
    made: dict[str, Any] = world.pod(child, index, state, container="serve")
    made["metadata"]["labels"] |= MANAGED
    made["spec"] = {"schedulingGates": GATES} if gated else {}
    gate = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "non-empty gates"}
    made["status"]["conditions"] = [gate] if gated else []
    return made


def test_pods_that_wait_are_told_with_kueues_words_until_they_are_admitted(
    world: Any, documents: Any, assert_fixpoint: Any
) -> None:
    child = start(world, documents)
    assert child["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team"
    assert world.condition("ModelDeployment", "QuotaReserved")[:2] == ("False", "NoPods")
    held = pod(world, child, 0, gated=True)["metadata"]
    stalled = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too slow"}
    child["status"] = {"conditions": [stalled]}
    world.put(
        {
            "apiVersion": "kueue.x-k8s.io/v1beta2",
            "kind": "Workload",
            "metadata": {"name": workload_names("Pod", "", held["name"], held["uid"])[0]},
            "spec": {},
            "status": {
                "conditions": [
                    {"type": "QuotaReserved", "status": "False", "reason": "Pending", "message": "1 more needed"}
                ]
            },
        }
    )
    outcome = world.reconcile("ModelDeployment")
    assert outcome.requeue_after == 2.0, "Kueue's words change without our being told"
    status, reason, message = world.condition("ModelDeployment", "QuotaReserved")
    assert (status, reason) == ("False", "Queued")
    assert message.startswith("1 of 1 pods wait: Kueue holds Pod bird-serve") and "1 more needed" in message
    assert world.condition("ModelDeployment", "Ready") == ("False", "Queued", message)
    assert world.condition("ModelDeployment", "Progressing")[:2] == ("Unknown", "Queued")
    assert settled(world.objects["ModelDeployment", "default", "bird"]) is None, "who waits is not told that it failed"
    assert_fixpoint(world, "ModelDeployment")
    pod(world, child, 0, gated=False)
    child["status"] = {}
    assert world.reconcile("ModelDeployment").requeue_after is None
    assert world.condition("ModelDeployment", "QuotaReserved")[:2] == ("True", "Admitted")
    assert world.condition("ModelDeployment", "Ready")[1] == "RollingOut"


def test_pods_that_kueue_has_not_seen_are_not_said_to_have_quota(world: Any, documents: Any) -> None:
    child = start(world, documents)
    pod(world, child, 0, gated=False)["metadata"]["labels"].pop("kueue.x-k8s.io/managed")
    world.reconcile("ModelDeployment")
    status, reason, message = world.condition("ModelDeployment", "QuotaReserved")
    assert (status, reason) == ("Unknown", "NotManaged") and "does not manage Deployments" in message
