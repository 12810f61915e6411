"""Which ComputeProfile a resource uses."""

import json
from dataclasses import dataclass
from functools import lru_cache

from swiftlet.api.v1alpha1.compute import Compute
from swiftlet.api.v1alpha1.computeprofile import ComputeProfile, ComputeProfileSpec
from swiftlet.kinds.conditions.verdict import Verdict
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.reading import Reader
from swiftlet.wire.reading import read

DEFAULT_PROFILE = "default"


@dataclass(frozen=True)
class ResolvedProfile:
    """The profile, what people know it by, and the obstacle when the one that was asked for is missing."""

    name: str
    spec: ComputeProfileSpec
    verdict: Verdict | None = None


def resolve_profile(compute: Compute, reader: Reader, capabilities: Capabilities) -> ResolvedProfile:
    """The named profile, else the one called `default`, else the engine's own."""
    name = compute.profile_ref.name if compute.profile_ref else DEFAULT_PROFILE
    found = reader.get("ComputeProfile", None, name)
    if found is not None:
        return ResolvedProfile(f"ComputeProfile {name}", _spec_of(json.dumps(found)))
    if name == DEFAULT_PROFILE:
        return ResolvedProfile("the default profile", capabilities.default_profile)
    missing = Verdict(
        "ReferenceNotFound",
        f"spec.compute.profileRef.name {name}: ComputeProfile {name} does not exist; create it, or name another",
        waits=True,
    )
    return ResolvedProfile("the default profile", capabilities.default_profile, missing)


@lru_cache(maxsize=64)
def _spec_of(profile: str) -> ComputeProfileSpec:
    """The spec of a ComputeProfile, given as JSON: the few that there are, every decision reads."""
    return read(ComputeProfile, json.loads(profile)).value.spec


def devices_verdict(who: str, compute: Compute, profile: ComputeProfileSpec) -> Verdict | None:
    """An obstacle when `resources` give another number of GPUs than `compute.gpus`: a pod has one, and only what stands
    in compute.gpus is computed on."""
    name, count = profile.gpu_resource_name, str(compute.gpus)
    asked = [part[name] for part in pod_resources(compute, profile, with_gpus=True).values() if name in part]
    named = [part[name] for part in (compute.resources.requests, compute.resources.limits) if name in part]
    wrong = {*named, *(asked if compute.gpus else ())} - {count}
    if not wrong:
        return None
    return Verdict(
        "InvalidPlan",
        f"resources of the document or of {who} name {name} {', '.join(sorted(wrong))}, and"
        f" spec.compute.gpus is {count}: leave {name} to spec.compute.gpus",
    )


def pod_resources(compute: Compute, profile: ComputeProfileSpec, with_gpus: bool) -> dict[str, dict[str, str]]:
    """`resources` of a container: the resource's own; of names that it does not mention the profile's; and the GPUs.

    The profile's `limits.resources` are limits where there are none, else a pod could use more than it may ask for.
    """
    own, usual = compute.resources, profile.resources
    named = {*own.requests, *own.limits}
    requests = _unless(usual.requests, named) | own.requests
    limits = _unless(usual.limits, named) | own.limits
    limits = profile.limits.resources | limits
    if with_gpus and compute.gpus:
        limits[profile.gpu_resource_name] = str(compute.gpus)
    parts = {"requests": requests, "limits": limits}
    return {name: part for name, part in parts.items() if part}


def _unless(amounts: dict[str, str], named: set[str]) -> dict[str, str]:
    return {name: amount for name, amount in amounts.items() if name not in named}
