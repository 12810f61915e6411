"""Which ComputeProfile a resource uses."""

from dataclasses import dataclass

from swiftlet.api.compute import Compute, ResourceRequirements
from swiftlet.api.computeprofile import ComputeProfile, ComputeProfileSpec
from swiftlet.kinds.capabilities import Capabilities
from swiftlet.kinds.reading import Reader
from swiftlet.kinds.verdict import Verdict
from swiftlet.wire.reading import read

DEFAULT_PROFILE = "default"


@dataclass(frozen=True)
class ResolvedProfile:
    """The profile, and the obstacle when the one that was asked for is missing."""

    spec: ComputeProfileSpec
    verdict: Verdict | None = None


def resolve_profile(compute: Compute, reader: Reader, capabilities: Capabilities) -> ResolvedProfile:
    """The named profile, else the one called `default`, else the engine's own."""
    name = compute.profile_ref.name if compute.profile_ref else DEFAULT_PROFILE
    found = reader.get("ComputeProfile", None, name)
    if found is not None:
        return ResolvedProfile(read(ComputeProfile, found).value.spec)
    if compute.profile_ref is None:
        return ResolvedProfile(capabilities.default_profile)
    missing = Verdict(
        "ReferenceNotFound",
        f"spec.compute.profileRef.name {name}: ComputeProfile {name} does not exist; create it, or name another",
        waits=True,
    )
    return ResolvedProfile(capabilities.default_profile, missing)


def pod_resources(compute: Compute, profile: ComputeProfileSpec, with_gpus: bool) -> dict[str, dict[str, str]]:
    """`resources` of a container: the resource's own, else the profile's, and the GPUs."""
    own = compute.resources
    chosen: ResourceRequirements = own if own.requests or own.limits else profile.resources
    limits = dict(chosen.limits)
    if with_gpus and compute.gpus:
        limits[profile.gpu_resource_name] = str(compute.gpus)
    parts = {"requests": dict(chosen.requests), "limits": limits}
    return {name: part for name, part in parts.items() if part}
