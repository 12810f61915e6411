"""What a pod asks of the machine; shared by all kinds."""

import re
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from swiftlet_0_1_0.api.base import ApiModel, NamedRef, Rule

QUANTITY_PATTERN = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][0-9]+)?$"

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

_SCALE = {
    "": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip


def parse_quantity(text: str) -> float:
    """The number that a quantity stands for, in base units (cores, bytes, devices).

    Raises ValueError for text that is not a quantity. Source: apimachinery `resource.Quantity`.
    """
    match = re.match(r"^([0-9.]+)([a-zA-Z]*)(.*)$", text)
    if not re.match(QUANTITY_PATTERN, text) or match is None:
        raise ValueError(f"{text!r} is not a quantity; write one such as 500m, 2 or 8Gi")
    number, unit, exponent = match.groups()
    if unit in ("e", "E") and exponent:
        return float(text)
    return float(number) * _SCALE[unit]


def mebibytes(count: int) -> str:
    """`count` MiB as the API server writes them: in the largest unit that leaves no fraction."""
    units = ["Mi", "Gi", "Ti"]
    while len(units) > 1 and count and count % 1024 == 0:
        count //= 1024
        units.pop(0)
    return f"{count}{units[0]}"


class ResourceRequirements(ApiModel):
    """Per pod, as in a Kubernetes container."""

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
