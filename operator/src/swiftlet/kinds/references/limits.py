"""What one resource may ask for, by its ComputeProfile."""

from collections.abc import Iterator

from swiftlet.api.v1alpha1.compute import Compute, parse_quantity
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.kinds.conditions.verdict import Verdict
from swiftlet.kinds.references.profiles import pod_resources


def limit_verdict(
    who: str, profile: ComputeProfileSpec, compute: Compute, nodes: int = 1, replicas: int = 0
) -> Verdict | None:
    """All that is above the limits of the profile that is called `who`."""
    found = [*_counts(profile, compute, nodes, replicas), *_amounts(profile, compute), *_extended(profile, compute)]
    if not found:
        return None
    return Verdict("LimitExceeded", f"{'; '.join(found)}; ask for less, or have limits of {who} raised")


def _counts(profile: ComputeProfileSpec, compute: Compute, nodes: int, replicas: int) -> Iterator[str]:
    limits = profile.limits
    asked = (
        ("spec.parallelism.nodes", nodes, "limits.nodes", limits.nodes),
        ("spec.compute.gpus", _gpus(profile, compute), "limits.gpus", limits.gpus),
        ("spec.replicas", replicas, "limits.replicas", limits.replicas),
    )
    for field, count, name, most in asked:
        if most is not None and count > most:
            yield f"{field} {count} is more than {name} {most}"


def _gpus(profile: ComputeProfileSpec, compute: Compute) -> int:
    """GPUs per pod, by whichever field they are asked for."""
    parts = (compute.resources.limits, compute.resources.requests)
    named = [parse_quantity(part[profile.gpu_resource_name]) for part in parts if profile.gpu_resource_name in part]
    return max([compute.gpus, *map(int, named)])


def _amounts(profile: ComputeProfileSpec, compute: Compute) -> Iterator[str]:
    for part, amounts in pod_resources(compute, profile, with_gpus=False).items():
        for name, most in profile.limits.resources.items():
            if name in amounts and parse_quantity(amounts[name]) > parse_quantity(most):
                yield f"spec.compute.resources.{part}.{name} {amounts[name]} is more than limits.resources {most}"


def _extended(profile: ComputeProfileSpec, compute: Compute) -> Iterator[str]:
    allowed = profile.limits.extended_resources
    if allowed is None:
        return
    own = compute.resources
    for name in dict.fromkeys([*own.limits, *own.requests]):
        if "/" in name and name != profile.gpu_resource_name and name not in allowed:
            listed = ", ".join(allowed) or "none"
            yield f"spec.compute.resources names {name}, and limits.extendedResources has {listed}"
