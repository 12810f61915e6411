"""The Deployment controller: a pure decision over a Deployment and its pods. Source: Kubernetes apps/v1.

All pods share one machine and its ports, so strategy Recreate is what every Deployment gets, and pods belong to the
Deployment itself, without a ReplicaSet in between.
"""

import copy
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from swiftlet.local.decisions import PodDecision, is_ready, is_terminating, phase
from swiftlet.local.job_pods import controller_reference

HASH_LABEL = "pod-template-hash"
DEADLINE_SECONDS = 600


def decide(deployment: dict[str, Any], pods: Sequence[dict[str, Any]], now: datetime) -> PodDecision:
    """What to do about a Deployment. `pods`: those that it owns."""
    wanted = deployment["spec"].get("replicas", 1)
    digest = template_hash(deployment)
    live = [pod for pod in pods if not is_terminating(pod)]
    over = [pod for pod in live if phase(pod) in ("Succeeded", "Failed")]
    old = [pod for pod in live if pod not in over and pod["metadata"]["labels"].get(HASH_LABEL) != digest]
    current = sorted((pod for pod in live if pod not in over and pod not in old), key=lambda pod: not is_ready(pod))
    status, requeue_after = _status(deployment, [*current, *old], len(current), now)
    decision = PodDecision(status, delete=[*over, *old, *current[wanted:]], requeue_after=requeue_after)
    if not old and len(live) == len(pods) and not over:
        missing = max(0, wanted - len(current))
        decision.create = [_pod(deployment, digest, number) for number in range(missing)]
    return decision


def template_hash(deployment: dict[str, Any]) -> str:
    """Ten characters that change with the pod template."""
    text = json.dumps(deployment["spec"]["template"], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _pod(deployment: dict[str, Any], digest: str, number: int) -> dict[str, Any]:
    """A pod; `number` counts those of one decision, the version tells decisions apart, so each name is new."""
    metadata, template = deployment["metadata"], copy.deepcopy(deployment["spec"]["template"])
    given = template.get("metadata") or {}
    suffix = hashlib.sha256(f"{metadata['uid']}/{metadata['resourceVersion']}/{number}".encode()).hexdigest()[:5]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{metadata['name']}-{digest}-{suffix}",
            "namespace": metadata["namespace"],
            "labels": {**(given.get("labels") or {}), HASH_LABEL: digest},
            "annotations": dict(given.get("annotations") or {}),
            "ownerReferences": [controller_reference(deployment)],
        },
        "spec": template["spec"],
    }


def _status(
    deployment: dict[str, Any], pods: Sequence[dict[str, Any]], updated: int, now: datetime
) -> tuple[dict[str, Any], float | None]:
    """(status, seconds until the progress deadline or None)."""
    old = deployment.get("status") or {}
    wanted, ready = deployment["spec"].get("replicas", 1), sum(is_ready(pod) for pod in pods)
    status: dict[str, Any] = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": len(pods),
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(0, wanted - ready),
    }
    complete = ready >= wanted and updated >= wanted and len(pods) == wanted
    moved = any(old.get(name) != status[name] for name in ("observedGeneration", "updatedReplicas", "readyReplicas"))
    available = (
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        if ready >= wanted
        else ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    )
    progressing, left = _progressing(deployment, complete, moved, now)
    status["conditions"] = [
        _condition(old, "Available", *available, moved=moved, now=now),
        _condition(old, "Progressing", *progressing, moved=moved, now=now),
    ]
    return status, left


def _progressing(
    deployment: dict[str, Any], complete: bool, moved: bool, now: datetime
) -> tuple[tuple[str, str, str], float | None]:
    name = deployment["metadata"]["name"]
    if complete:
        return ("True", "NewReplicaSetAvailable", f'Deployment "{name}" has successfully progressed.'), None
    deadline = float(deployment["spec"].get("progressDeadlineSeconds", DEADLINE_SECONDS))
    before = _old_condition(deployment.get("status") or {}, "Progressing")
    left = deadline
    if before and not moved:
        left -= (now - datetime.fromisoformat(before["lastUpdateTime"].replace("Z", "+00:00"))).total_seconds()
    if left <= 0 or (before and not moved and before["reason"] == "ProgressDeadlineExceeded"):
        return ("False", "ProgressDeadlineExceeded", f'Deployment "{name}" has timed out progressing.'), None
    return ("True", "ReplicaSetUpdated", f'Deployment "{name}" is progressing.'), left


def _condition(
    old: dict[str, Any], type_: str, status: str, reason: str, message: str, moved: bool, now: datetime
) -> dict[str, Any]:
    before = _old_condition(old, type_)
    text = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    same = before is not None and before["status"] == status
    updated = before["lastUpdateTime"] if before and same and before["reason"] == reason and not moved else text
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastUpdateTime": updated,
        "lastTransitionTime": before["lastTransitionTime"] if before and same else text,
    }


def _old_condition(status: dict[str, Any], type_: str) -> dict[str, Any] | None:
    return next((condition for condition in status.get("conditions") or [] if condition["type"] == type_), None)
