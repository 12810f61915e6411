"""What a pod asks of the machine; shared by all kinds."""

import re
from fractions import Fraction
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from swiftlet.api.base import ApiModel, NamedRef, Rule
from swiftlet.api.names import RESOURCE_PATTERN, quoted

QUANTITY_PATTERN = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][0-9]{1,2})?$"

_QUANTITY_SCHEMA: dict[str, Any] = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "pattern": QUANTITY_PATTERN,
    "maxLength": 32,
    "minimum": 0,
}
"""The only form of a union that a structural schema may have: pattern and length bind strings, the minimum integers."""


def _as_text(value: object) -> object:
    """An integer as the string that means the same; other values as they are."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    Field(pattern=QUANTITY_PATTERN, max_length=32),
    BeforeValidator(_as_text),
    WithJsonSchema(_QUANTITY_SCHEMA),
]
"""A Kubernetes quantity such as 500m, 8Gi or 2: written as a string or an integer, held as a string."""

_SCALE: dict[str, Fraction | int] = {
    "": 1, "m": Fraction(1, 1000), "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip


def parse_quantity(text: str) -> float:
    """The number that a quantity stands for, in base units (cores, bytes, devices).

    Raises ValueError as `exact_quantity` does.
    """
    return float(exact_quantity(text))


def exact_quantity(text: str) -> Fraction:
    """The number that a quantity stands for, so that 1100m and 1.1 are equal.

    Raises ValueError for text that is not a quantity. Source: apimachinery `resource.Quantity`.
    """
    match = re.match(r"^([0-9.]+)([a-zA-Z]*)(.*)$", text)
    if not re.match(QUANTITY_PATTERN, text) or match is None:
        raise ValueError(f"{text!r} is not a quantity; write one such as 500m, 2 or 8Gi")
    number, unit, exponent = match.groups()
    if unit in ("e", "E") and exponent:
        return Fraction(text)
    return Fraction(number) * _SCALE[unit]


def mebibytes(count: int) -> str:
    """`count` MiB as the API server writes them: in the largest unit that leaves no fraction."""
    units = ["Mi", "Gi", "Ti"]
    while len(units) > 1 and count and count % 1024 == 0:
        count //= 1024
        units.pop(0)
    return f"{count}{units[0]}"


_COMPARED = "quantity(string(self.requests[k])).compareTo(quantity(string(self.limits[k])))"
_IS_DEVICE, _IS_PAGES = "k.contains('/')", "k.startsWith('hugepages-')"


LONG_DOMAIN = "^[^/]{245}"
"""Kubernetes puts `requests.` before a device's name in quotas; up to the slash that may have 253 characters."""


def _all(field: str, condition: str) -> str:
    """A condition on every name `k` of a map; true where the map is absent, as in a default of the CRD."""
    return f"!has(self.{field}) || self.{field}.all(k, {condition})"


def named_well(field: str) -> Rule:
    """The keys of a map are resources that pods take."""
    return Rule(
        _all(
            field, f"!k.matches('{LONG_DOMAIN}') && !k.startsWith('requests.') && k.matches({quoted(RESOURCE_PATTERN)})"
        ),
        f"{field} may name cpu, memory, ephemeral-storage, hugepages-SIZE, and devices as domain/name",
        field,
    )


class ResourceRequirements(ApiModel):
    """Per pod, as in a Kubernetes container."""

    rules: ClassVar[tuple[Rule, ...]] = (
        named_well("requests"),
        named_well("limits"),
        Rule(
            _all("requests", f"!has(self.limits) || !(k in self.limits) || {_COMPARED} <= 0"),
            "requests must not be above limits: lower the request, or raise the limit of the same name",
            "requests",
        ),
        Rule(
            _all(
                "requests",
                f"!({_IS_DEVICE} || {_IS_PAGES}) || (has(self.limits) && k in self.limits && {_COMPARED} == 0)",
            ),
            "requests of devices and huge pages must be as large as their limits: set both, or limits alone",
            "requests",
        ),
        Rule(
            _all("limits", f"!{_IS_DEVICE} || string(self.limits[k]).matches('^[0-9]+$')"),
            "limits of devices must be whole numbers without a unit",
            "limits",
        ),
        Rule(
            _all("limits", f"!{_IS_PAGES}")
            + " || ['cpu', 'memory'].exists(k, k in self.limits || (has(self.requests) && k in self.requests))",
            "limits of huge pages need cpu or memory beside them",
            "limits",
        ),
    )

    requests: Annotated[dict[str, Quantity], Field(max_length=16)] = Field(
        default_factory=dict, description="What is set aside for the pod, by resource name, such as memory: 8Gi."
    )
    limits: Annotated[dict[str, Quantity], Field(max_length=16)] = Field(
        default_factory=dict, description="What the pod may use at most, by resource name."
    )


class Compute(ApiModel):
    """Where pods run and what each of them gets."""

    profile_ref: NamedRef | None = Field(None, description="ComputeProfile to use; `default` when it exists.")
    resources: ResourceRequirements = Field(
        default_factory=ResourceRequirements, description="Requests and limits of each pod."
    )
    gpus: Annotated[int, Field(ge=0, le=64)] = Field(
        0, description="GPUs per pod, of the resource that the ComputeProfile names. 0 trains on the CPU with gloo."
    )

    rules: ClassVar[tuple[Rule, ...]] = ()


GPUS = "(has(self.compute) && has(self.compute.gpus) ? self.compute.gpus : 0)"
"""CEL, of a spec with `compute`: the GPUs of a pod."""
