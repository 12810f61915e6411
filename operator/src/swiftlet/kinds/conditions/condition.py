"""Conditions: what is true of a resource now, and since when. Source: Kubernetes API conventions, metav1.Condition."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from swiftlet.api.base import Condition
from swiftlet.kinds.conditions.timestamps import to_text

Truth = Literal["True", "False", "Unknown"]

MESSAGE_LIMIT = 4000
"""Characters of a condition's message; the API allows 32768, but a status holds several."""


class State(NamedTuple):
    """What a condition should say now."""

    type: str
    status: Truth
    reason: str
    message: str = ""


def set_condition(old: Sequence[Condition], state: State, generation: int | None, now: datetime) -> Condition:
    """The condition that says `state`; its lastTransitionTime moves only when the status flips."""
    before = next((condition for condition in old if condition.type == state.type), None)
    if before and before.last_transition_time and _says(before, state, generation):
        return before
    flipped = before is None or before.status != state.status or before.last_transition_time is None
    return Condition(
        type=state.type,
        status=state.status,
        reason=state.reason,
        message=state.message[:MESSAGE_LIMIT],
        observed_generation=generation,
        last_transition_time=to_text(now) if flipped or before is None else before.last_transition_time,
    )


def _says(condition: Condition, state: State, generation: int | None) -> bool:
    said = condition.status, condition.reason, condition.message, condition.observed_generation
    return said == (state.status, state.reason, state.message[:MESSAGE_LIMIT], generation)


def set_conditions(
    old: Sequence[Condition], states: Iterable[State], generation: int | None, now: datetime
) -> list[Condition]:
    """`set_condition` for every state, in their order."""
    return [set_condition(old, state, generation, now) for state in states]


def find_condition(resource: dict[str, Any] | None, type_: str) -> dict[str, Any] | None:
    """The condition of an object as a document (ours, a Job, a Deployment, a Pod), or None."""
    conditions = ((resource or {}).get("status") or {}).get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == type_), None)


def has_condition(resource: dict[str, Any] | None, type_: str, status: Truth = "True") -> bool:
    """Whether the object's condition has this status."""
    condition = find_condition(resource, type_)
    return condition is not None and condition["status"] == status


def readable_conditions(resource: dict[str, Any]) -> list[Condition]:
    """The conditions of a resource of ours, without those that another version wrote in a form unknown here."""
    found = []
    for document in (resource.get("status") or {}).get("conditions") or []:
        try:
            found.append(Condition.model_validate(document))
        except ValidationError:
            continue
    return found
