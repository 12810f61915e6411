"""Objects that the bed puts into its cluster. Pure functions."""

from pathlib import Path
from typing import Any

DNS_USER = "system:coredns"
STORAGE_CLASS = "swiftlet-hostpath"
GPU = "nvidia.com/gpu"


def cluster_objects() -> list[dict[str, Any]]:
    """What every cluster has: rights of the DNS server, a storage class without provisioner."""
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    name = {"metadata": {"name": DNS_USER}}
    rbac = "rbac.authorization.k8s.io"
    role = {"apiGroup": rbac, "kind": "ClusterRole", "name": DNS_USER}
    subject = {"apiGroup": rbac, "kind": "User", "name": DNS_USER}
    return [
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", **name, "rules": rules},
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRoleBinding", **name, "roleRef": role, "subjects": [subject]},
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": STORAGE_CLASS},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "Immediate",
            "reclaimPolicy": "Retain",
        },
    ]


def volume(name: str, size: str, folder: Path, claim: tuple[str, str] | None = None) -> dict[str, Any]:
    """A PersistentVolume on a folder of the machine, which all nodes share.

    `size` is a quantity such as 10Gi; `claim` (namespace, name) keeps it for one claim.
    """
    spec: dict[str, Any] = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteMany", "ReadWriteOnce", "ReadOnlyMany"],
        "storageClassName": STORAGE_CLASS,
        "persistentVolumeReclaimPolicy": "Retain",
        "hostPath": {"path": str(folder), "type": "Directory"},
    }
    if claim is not None:
        spec["claimRef"] = {"namespace": claim[0], "name": claim[1]}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def gpus(count: int) -> dict[str, Any]:
    """Patch of a node's status that makes it have GPUs, as far as scheduler and kubelet count them."""
    return {"status": {"capacity": {GPU: str(count)}, "allocatable": {GPU: str(count)}}}
