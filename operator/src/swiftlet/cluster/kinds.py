"""Where the API server keeps what a command reads: the operator's kinds, and what stands against a plan."""

from swiftlet.kube.paths import TYPES, ResourceType

READ_TYPES: dict[str, ResourceType] = {
    **TYPES,
    **{
        found.kind: found
        for found in (
            ResourceType("v1", "Secret", "secrets"),
            ResourceType("v1", "Namespace", "namespaces", namespaced=False),
            ResourceType("v1", "Node", "nodes", namespaced=False),
            ResourceType("v1", "ResourceQuota", "resourcequotas"),
            ResourceType("v1", "LimitRange", "limitranges"),
            ResourceType("v1", "ServiceAccount", "serviceaccounts"),
            ResourceType("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", namespaced=False),
            ResourceType("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", namespaced=False),
            ResourceType("kueue.x-k8s.io/v1beta2", "LocalQueue", "localqueues"),
            ResourceType("kueue.x-k8s.io/v1beta2", "ClusterQueue", "clusterqueues", namespaced=False),
        )
    },
}
"""By kind."""
