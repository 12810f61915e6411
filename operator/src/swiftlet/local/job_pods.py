"""The pods of a Job. Source: Kubernetes job controller, indexed completions."""

import copy
import hashlib
from typing import Any

INDEX = "batch.kubernetes.io/job-completion-index"


def is_indexed(job: dict[str, Any]) -> bool:
    """Whether each pod has a completion index."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def index_of(pod: dict[str, Any]) -> int:
    """The completion index of a pod; 0 for the pods of a Job without indexes."""
    return int((pod["metadata"].get("annotations") or {}).get(INDEX, 0))


def job_pod(job: dict[str, Any], index: int, number: int) -> dict[str, Any]:
    """The pod that does completion `index`; `number` counts the pods made for it; it makes the name new."""
    metadata, template = job["metadata"], copy.deepcopy(job["spec"]["template"])
    name, uid, spec = metadata["name"], metadata["uid"], template["spec"]
    given = template.get("metadata") or {}
    labels = {
        **(given.get("labels") or {}),
        "job-name": name,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "batch.kubernetes.io/controller-uid": uid,
    }
    annotations = dict(given.get("annotations") or {})
    prefix = name
    if is_indexed(job):
        labels[INDEX] = annotations[INDEX] = str(index)
        prefix = f"{name}-{index}"
        spec["hostname"] = prefix
        for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
            _number(container)
    suffix = hashlib.sha256(f"{uid}/{index}/{number}".encode()).hexdigest()[:5]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{prefix}-{suffix}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [controller_reference(job)],
        },
        "spec": spec,
    }


def controller_reference(owner: dict[str, Any]) -> dict[str, Any]:
    """The reference by which a pod belongs to its controller."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _number(container: dict[str, Any]) -> None:
    env = container.setdefault("env", [])
    if all(variable["name"] != "JOB_COMPLETION_INDEX" for variable in env):
        field = {"fieldRef": {"fieldPath": f"metadata.annotations['{INDEX}']"}}
        env.append({"name": "JOB_COMPLETION_INDEX", "valueFrom": field})
