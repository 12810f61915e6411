"""Labels and annotations of Jobs, Deployments and pods: ours, the ComputeProfile's, and those of the resource itself.

What a person writes on a resource passes on to its Job or Deployment and to the pods (cost centres, switches of
sidecars), except for keys that mean the object that carries them: those of Kubernetes, of Swiftlet, and of tools which
deploy it. spec.queue, or else labels of Kueue on the resource, become labels of the Job or Deployment alone, where
Kueue reads them.
"""

from typing import Any

from swiftlet.api.base import Resource
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.api.v1alpha1.profile_pods import OWNED_LABELS
from swiftlet.api.v1alpha1.queue import Queue
from swiftlet.kinds.owning.ownership import child_metadata, labels
from swiftlet.kinds.owning.queue_labels import queue_labels

KEPT_DOMAINS = (
    *("swiftlet.dev", "kubernetes.io", "k8s.io", "x-k8s.io", "cni.cncf.io"),
    *("argoproj.io", "helm.sh", "fluxcd.io", "cattle.io"),
)
"""Domains whose keys, and those of their subdomains, stay on the resource."""


def workload_metadata(
    resource: Resource,
    name: str,
    component: str,
    profile: ComputeProfileSpec,
    annotations: dict[str, str],
    queue: Queue | None,
) -> dict[str, Any]:
    """metadata of a Job or Deployment with annotations of our own. queue: spec.queue."""
    metadata = child_metadata(resource, name, component)
    return {
        **metadata,
        "labels": {**_given_labels(resource, profile), **queue_labels(resource, queue), **metadata["labels"]},
        "annotations": {**_given_annotations(resource, profile), **annotations},
    }


def pod_metadata(
    resource: Resource, component: str, profile: ComputeProfileSpec, annotations: dict[str, str]
) -> dict[str, Any]:
    """metadata of a pod template with annotations of our own."""
    every = {**_given_annotations(resource, profile), **annotations}
    named = {"labels": {**_given_labels(resource, profile), **labels(resource, component)}}
    return named | ({"annotations": every} if every else {})


def passes_on(key: str) -> bool:
    """Whether a label or annotation of a resource is one of its pods too."""
    domain = key.rpartition("/")[0]
    kept = any(domain == one or domain.endswith(f".{one}") for one in KEPT_DOMAINS)
    return not kept and key not in OWNED_LABELS


def _given_labels(resource: Resource, profile: ComputeProfileSpec) -> dict[str, str]:
    """The profile's word counts: what it says about cost or sidecars is not for a document to change."""
    return {**_passed(resource.metadata.labels), **profile.pod_metadata.labels}


def _given_annotations(resource: Resource, profile: ComputeProfileSpec) -> dict[str, str]:
    return {**_passed(resource.metadata.annotations), **profile.pod_metadata.annotations}


def _passed(entries: dict[str, str]) -> dict[str, str]:
    return {key: text for key, text in entries.items() if passes_on(key)}
