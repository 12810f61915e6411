"""What pods of one kind ask for, as admission counts it.

Sources: Kubernetes, "Init Containers" (effective requests of a pod), "Limit Ranges" (defaults of containers).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from swiftlet.api.v1alpha1.compute import exact_quantity
from swiftlet.cli.printing.figures import size
from swiftlet.kinds.attempts.backends.registry import BACKENDS

Object = dict[str, Any]
Amounts = Mapping[str, Fraction]
"""By resource; bytes of memory, cores of cpu."""
_COUNTS = {**dict.fromkeys(BACKENDS, "parallelism"), "Deployment": "replicas"}
_IN_BYTES = ("memory", "ephemeral-storage", "storage")


@dataclass(frozen=True)
class Container:
    """What one container asks for, with the defaults of the namespace."""

    name: str
    requests: Amounts
    limits: Amounts
    is_init: bool = False


@dataclass(frozen=True)
class Pod:
    """`count` pods alike, at the same time."""

    spec: Object
    count: int
    containers: tuple[Container, ...]

    @property
    def requests(self) -> Amounts:
        return self._effective([(one.is_init, one.requests) for one in self.containers])

    @property
    def limits(self) -> Amounts:
        return self._effective([(one.is_init, one.limits) for one in self.containers])

    def _effective(self, parts: Sequence[tuple[bool, Amounts]]) -> Amounts:
        """All containers together, or the largest of those that come before them."""
        found: dict[str, Fraction] = {}
        for is_init, amounts in sorted(parts, key=lambda part: part[0]):
            for name, amount in amounts.items():
                before = found.get(name, Fraction(0))
                found[name] = max(before, amount) if is_init else before + amount
        return found


def pods_of(item: Object, limit_ranges: Sequence[Object] = ()) -> Pod | None:
    """The pods of a workload; None of anything else."""
    if item["kind"] not in _COUNTS:
        return None
    if item["kind"] in BACKENDS:
        item = BACKENDS[item["kind"]].told(item, ())
    spec = item["spec"]["template"]["spec"]
    return Pod(spec, int(item["spec"].get(_COUNTS[item["kind"]], 1)), tuple(_containers(spec, limit_ranges)))


def _containers(spec: Object, limit_ranges: Sequence[Object]) -> Iterator[Container]:
    rules = [rule for one in limit_ranges for rule in one["spec"].get("limits") or () if rule["type"] == "Container"]
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            resources = container.get("resources") or {}
            limits = amounts(resources.get("limits"))
            requests = {**limits, **amounts(resources.get("requests"))}  # a limit alone is the request too
            for rule in rules:
                limits = {**amounts(rule.get("default")), **limits}
                requests = {**amounts(rule.get("defaultRequest")), **requests}
            yield Container(container["name"], requests, limits, field == "initContainers")


def amounts(quantities: Mapping[str, Any] | None) -> dict[str, Fraction]:
    """Quantities by resource as numbers."""
    return {name: exact_quantity(str(text)) for name, text in (quantities or {}).items()}


def shown(resource: str, amount: Fraction) -> str:
    """`1.5`, or `64.0 GiB` where the resource is one of bytes."""
    in_bytes = resource.rpartition(".")[2] in _IN_BYTES
    return size(float(amount)) if in_bytes else f"{float(amount):g}"
