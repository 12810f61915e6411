"""Runs the built-in controllers on the store."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from swiftlet.control.keys import Key
from swiftlet.local import deployment_controller, job_controller
from swiftlet.local.decisions import PodDecision
from swiftlet.local.node import Node
from swiftlet.local.store import Store

Decide = Callable[[dict[str, Any], Sequence[dict[str, Any]], datetime], PodDecision]

CONTROLLERS: dict[str, Decide] = {"Job": job_controller.decide, "Deployment": deployment_controller.decide}
"""Kinds whose pods this engine makes."""


def run_controller(key: Key, store: Store, node: Node, now: datetime) -> float | None:
    """Look at one object and do what its controller decides; seconds until it wants another look, or None."""
    kind, namespace, name = key
    controlled = store.get(kind, namespace, name)
    if controlled is None:
        return None
    uid = controlled["metadata"]["uid"]
    pods = [pod for pod in store.list("Pod", namespace) if _belongs(pod, uid)]
    decision = CONTROLLERS[kind](controlled, pods, now)
    # Written first: a Job that fails says so before its pods are told to stop.
    store.update_status(kind, namespace, name, decision.status)
    for pod in decision.delete:
        store.delete("Pod", namespace, pod["metadata"]["name"])
    for pod in decision.create:
        store.apply(pod, manager=f"{kind.lower()}-controller")
    for event in decision.events:
        node.event(controlled, *event)
    return decision.requeue_after


def tell_stopped(key: Key, store: Store, now: datetime) -> None:
    """Write what is left of an object's pods after all were stopped; none is made or deleted.

    Whether a stopped pod fails its Job is for the controller to judge when the work goes on.
    """
    kind, namespace, name = key
    controlled = store.get(kind, namespace, name)
    if controlled is None:
        return
    pods = [pod for pod in store.list("Pod", namespace) if _belongs(pod, controlled["metadata"]["uid"])]
    status = CONTROLLERS[kind](controlled, pods, now).status
    if any(condition["type"] in ("FailureTarget", "Failed") for condition in status.get("conditions") or []):
        status = {**status, "conditions": (controlled.get("status") or {}).get("conditions") or []}
    store.update_status(kind, namespace, name, status)


def _belongs(pod: dict[str, Any], uid: str) -> bool:
    owners = pod["metadata"].get("ownerReferences") or []
    return any(owner.get("controller") and owner["uid"] == uid for owner in owners)
