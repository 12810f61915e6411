"""Who may talk to the pods of a resource.

A run is closed but for its own pods: torch's rendezvous and gloo know no password and read pickles, so whoever reaches
them runs code there. A server's port is open to whom its document names. Probes come from the node, which no policy
keeps out, and what pods ask of others is not restricted. Where the network plugin knows no policies, nothing is.
"""

from collections.abc import Sequence
from typing import Any

from swiftlet.api.base import Resource
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.kinds.frame.outcome import ObjectRef, ref_of
from swiftlet.kinds.observing.observed import is_being_deleted, of_kind
from swiftlet.kinds.owning.ownership import child_metadata
from swiftlet.kinds.surroundings import Surroundings

Ingress = list[dict[str, Any]]


def network_policy(
    resource: Resource,
    name: str,
    component: str,
    profile: ComputeProfileSpec,
    selector: dict[str, str],
    ingress: Ingress,
) -> list[dict[str, Any]]:
    """The policy of the pods with these labels, unless the profile wants none. Without `ingress` nobody gets in."""
    if profile.network_policy == "Disabled":
        return []
    spec: dict[str, Any] = {"podSelector": {"matchLabels": selector}, "policyTypes": ["Ingress"]}
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": child_metadata(resource, name, component),
        "spec": spec | ({"ingress": ingress} if ingress else {}),
    }
    return [policy]


def from_each_other(selector: dict[str, str]) -> Ingress:
    """Pods with these labels, of the same namespace, on every port."""
    return [{"from": [{"podSelector": {"matchLabels": selector}}]}]


def surplus_policies(children: Sequence[dict[str, Any]], around: Surroundings) -> list[ObjectRef]:
    """Policies that the profile does not want any more; where it is not known what it wants, they stay."""
    if around.profile_verdict is not None or around.profile.network_policy == "Enabled":
        return []
    return [ref_of(policy) for policy in of_kind(list(children), "NetworkPolicy") if not is_being_deleted(policy)]
