"""What a reconciler decides: objects to apply and to delete, the status, events, and when to look again."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class ObjectRef:
    """One object. `namespace` None means cluster-scoped."""

    api_version: str
    kind: str
    namespace: str | None
    name: str


@dataclass(frozen=True)
class Patch:
    """The fields of a child to change, as a JSON merge patch; all others are for whoever has set them."""

    target: ObjectRef
    fields: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """What a person should hear about, once."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """A decision.

    desired: objects to apply, in this order. A child that is in none of the three lists stays as it is.
    patches: what is asked anew of children that are under way.
    status: the whole status, to be written when it differs from the stored one.
    requeue_after: seconds until the clock alone changes the decision; None when only a change of state does.
    """

    desired: list[dict[str, Any]]
    delete: list[ObjectRef]
    status: dict[str, Any]
    events: list[Event] = field(default_factory=list)
    requeue_after: float | None = None
    patches: list[Patch] = field(default_factory=list)


def ref_of(manifest: dict[str, Any]) -> ObjectRef:
    """The reference to an object."""
    metadata = manifest["metadata"]
    return ObjectRef(manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"])
