"""The kinds that the operator deals with, and where the API server keeps them."""

from dataclasses import dataclass

from swiftlet.api import API_VERSION, KINDS
from swiftlet.api.v1alpha1.backends import BACKENDS


@dataclass(frozen=True)
class ResourceType:
    """One kind. `api_version`: `v1`, `apps/v1` and so on."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True
    metadata_only: bool = False
    """Watched and listed without content: what others put into such objects costs neither network nor memory."""

    @property
    def root(self) -> str:
        """`/api/v1` or `/apis/GROUP/VERSION`."""
        return f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"

    def collection(self, namespace: str | None) -> str:
        """Path of the objects of a namespace, or of all of them (None)."""
        within = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{self.root}{within}/{self.plural}"

    def object(self, namespace: str | None, name: str) -> str:
        """Path of one object."""
        return f"{self.collection(namespace)}/{name}"


OWN_TYPES: dict[str, ResourceType] = {
    name: ResourceType(API_VERSION, name, model.plural, model.scope == "Namespaced") for name, model in KINDS.items()
}
"""Our own kinds; the operator watches all of their objects."""

CHILD_TYPES: dict[str, ResourceType] = {
    found.kind: found
    for found in (
        ResourceType("batch/v1", "Job", "jobs"),
        ResourceType("apps/v1", "Deployment", "deployments"),
        ResourceType("apps/v1", "ReplicaSet", "replicasets", metadata_only=True),
        ResourceType("apps/v1", "ControllerRevision", "controllerrevisions"),
        ResourceType("v1", "Pod", "pods"),
        ResourceType("v1", "ConfigMap", "configmaps", metadata_only=True),
        ResourceType("v1", "Service", "services", metadata_only=True),
        ResourceType("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", metadata_only=True),
        ResourceType("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", metadata_only=True),
    )
}
"""Kinds of children and what they control, owners first; the operator watches those that carry the owner's label.
ReplicaSets stand between Deployments and their pods: which pod is whose, controller references alone say."""

OTHER_TYPES: dict[str, ResourceType] = {
    found.kind: found
    for found in (
        ResourceType("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
        ResourceType("v1", "Event", "events"),
        ResourceType("coordination.k8s.io/v1", "Lease", "leases"),
        ResourceType("kueue.x-k8s.io/v1beta2", "Workload", "workloads"),
        ResourceType("authentication.k8s.io/v1", "TokenReview", "tokenreviews", namespaced=False),
    )
}
"""Kinds that are read or written one object at a time."""

EXTRA_TYPES: dict[str, ResourceType] = {
    facts.kind: ResourceType(facts.api_version, facts.kind, facts.plural)
    for facts in BACKENDS.values()
    if facts.is_extra
}
"""Kinds of children that may not be there, and may come and go (`kube.extras`)."""

TYPES: dict[str, ResourceType] = {**OWN_TYPES, **CHILD_TYPES, **EXTRA_TYPES, **OTHER_TYPES}
