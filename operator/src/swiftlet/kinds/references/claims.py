"""PersistentVolumeClaims: those that must be there, those that are made, and those that are not bound yet."""

from collections.abc import Iterable
from typing import Any

from swiftlet.api.v1alpha1.computeprofile import Storage
from swiftlet.kinds.conditions.condition import has_condition
from swiftlet.kinds.frame.reading import Reader

DEFAULT_SIZE = "100Gi"


def artifacts_claim(storage: Storage, namespace: str) -> dict[str, Any]:
    """The claim that is made where artifacts go. Nobody owns it, so artifacts outlive what wrote them.

    Raises ValueError for a profile without a class, as claims of an unknown class are the cluster's default.
    """
    if storage.artifacts_storage_class is None:
        raise ValueError("storage.artifactsStorageClass is not set")
    labels = {
        "app.kubernetes.io/name": "swiftlet",
        "app.kubernetes.io/component": "artifacts",
        "app.kubernetes.io/managed-by": "swiftlet",
    }
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": storage.artifacts_claim, "namespace": namespace, "labels": labels},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": storage.artifacts_storage_class,
            "resources": {"requests": {"storage": storage.artifacts_size or DEFAULT_SIZE}},
        },
    }


def unbound_claims(pods: Iterable[dict[str, Any]], reader: Reader) -> dict[str, str]:
    """By the name of a claim that a pod waits for and that has no volume yet: what it asks for, in words."""
    found: dict[str, str] = {}
    for pod in (pod for pod in pods if has_condition(pod, "PodScheduled", "False")):
        for volume in (pod.get("spec") or {}).get("volumes") or []:
            if source := volume.get("persistentVolumeClaim"):
                claim = reader.get("PersistentVolumeClaim", pod["metadata"]["namespace"], source["claimName"])
                if claim and (claim.get("status") or {}).get("phase") in ("Pending", "Lost"):
                    found[source["claimName"]] = _words(claim)
    return found


def _words(claim: dict[str, Any]) -> str:
    spec = claim.get("spec") or {}
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage") or "any size"
    modes = " ".join(spec.get("accessModes") or [])
    of_class = f"StorageClass {spec['storageClassName']}" if spec.get("storageClassName") else "no StorageClass"
    return f"{claim['status']['phase']}: {size}, {modes}, {of_class}"
