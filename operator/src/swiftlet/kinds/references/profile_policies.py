"""What must hold before a resource uses a ComputeProfile."""

from fnmatch import fnmatchcase

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.kinds.conditions.verdict import Verdict, combine
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.references.profiles import ResolvedProfile

NEEDS_CLUSTER = {
    "ca_bundle": ("caBundle", "set SSL_CERT_FILE for `swiftlet run` instead"),
    "priority_class_name": ("priorityClassName", "there is one node and no queue here"),
    "scheduler_name": ("schedulerName", "there is one node here"),
    "runtime_class_name": ("runtimeClassName", "pods are processes here, not containers"),
    "service_account_name": ("serviceAccountName", "there are no ServiceAccounts here"),
    "host_users": ("hostUsers", "pods are processes of your user here"),
}
"""Fields that mean nothing to processes of one machine, by attribute: name, and why or what else to do."""


def profile_verdict(
    resolved: ResolvedProfile, namespace: str, reader: Reader, capabilities: Capabilities
) -> Verdict | None:
    """All that stands against the profile, whatever the kind of the resource."""
    return combine(
        [
            resolved.verdict,
            _namespace_is_allowed(resolved, namespace),
            _works_here(resolved, capabilities),
            _authorities_are_there(resolved, namespace, reader, capabilities),
        ]
    )


BUILT = {"trainer": "trainer", "server": "trainer-vllm"}
"""Field of `images` to the image that `make images` builds for it."""


def image_verdict(
    resolved_name: str, image: str, profile: ComputeProfileSpec, capabilities: Capabilities
) -> Verdict | None:
    """Containers need an image. `image`: trainer or server."""
    if not capabilities.runs_containers or getattr(profile.images, image):
        return None
    return Verdict(
        "ImageMissing",
        f"{resolved_name} has no images.{image}; set it to an image that you have built or copied, such as"
        f" registry.example/swiftlet/{BUILT[image]}:0.1.0 (:0.1.0-cuda for GPUs)",
    )


def _namespace_is_allowed(resolved: ResolvedProfile, namespace: str) -> Verdict | None:
    allowed = resolved.spec.allowed_namespaces
    if allowed is None or any(fnmatchcase(namespace, pattern) for pattern in allowed):
        return None
    listed = ", ".join(allowed) or "none"
    return Verdict(
        "NamespaceNotAllowed",
        f"namespace {namespace} may not use {resolved.name}, which allows {listed}: name another one in"
        " spec.compute.profileRef, or have the namespace added to its allowedNamespaces",
    )


def _works_here(resolved: ResolvedProfile, capabilities: Capabilities) -> Verdict | None:
    if capabilities.runs_containers:
        return None
    found = [
        f"{name} of {resolved.name} needs a cluster: {why}"
        for attribute, (name, why) in NEEDS_CLUSTER.items()
        if getattr(resolved.spec, attribute) is not None
    ]
    return Verdict("NeedsCluster", "; ".join(found)) if found else None


def _authorities_are_there(
    resolved: ResolvedProfile, namespace: str, reader: Reader, capabilities: Capabilities
) -> Verdict | None:
    bundle = resolved.spec.ca_bundle
    if bundle is None or not capabilities.runs_containers:
        return None
    ref = bundle.config_map_ref
    found = reader.get("ConfigMap", namespace, ref.name)
    who = f"caBundle of {resolved.name}: ConfigMap {namespace}/{ref.name}"
    if found is None:
        return Verdict("ReferenceNotFound", f"{who} does not exist; create it", waits=True)
    if ref.key not in {**(found.get("data") or {}), **(found.get("binaryData") or {})}:
        return Verdict("ReferenceNotFound", f"{who} has no key {ref.key}; add it", waits=True)
    return None
