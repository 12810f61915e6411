"""Resources of another version: what can be read of them counts. Where the spec cannot be read, their status says so,
and nothing else is done.

It happens when CRDs and operator are of different versions, or when a rule of the CRDs was not installed.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from swiftlet import __version__
from swiftlet.api import KINDS
from swiftlet.api.schema.problems import field_path
from swiftlet.api.schema.validation import validate
from swiftlet.kinds.conditions.condition import (
    State,
    find_condition,
    readable_conditions,
    set_condition,
    set_conditions,
)
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.frame.events import events_of
from swiftlet.kinds.frame.outcome import Outcome
from swiftlet.kinds.frame.reading import Reader
from swiftlet.wire.reading import unknown_places, without

Reconciler = Callable[[dict[str, Any], Reader, datetime, Capabilities], Outcome]

INVALID = "Invalid"
"""Reason of Accepted and of the summary condition."""


def decided(
    reconciler: Reconciler, resource: dict[str, Any], reader: Reader, now: datetime, capabilities: Capabilities
) -> Outcome:
    """The reconciler's decision about a resource that another version may have written, as far as it can be read."""
    try:
        return reconciler(resource, reader, now, capabilities)
    except ValidationError as error:
        known = readable(resource, error)
        if known is not None:
            return _noted(resource, reconciler(known, reader, now, capabilities), unknown_places(error), now)
        outcome = invalid_outcome(resource, error, now)
    except ValueError as error:
        outcome = invalid_outcome(resource, error, now)
        if outcome is None:
            raise
    if outcome is None:
        raise ValueError("a ValidationError always has something to say")
    return outcome


def readable(resource: dict[str, Any], error: ValidationError) -> dict[str, Any] | None:
    """The resource without fields that this version does not know, and without what it cannot read of the status.

    None when something else is wrong. A newer CRD adds its defaults to every stored resource, so an unknown field is
    hardly ever what a user asked for; what has no effect is told in Accepted.
    """
    if error.title != resource["kind"]:
        return None
    unknown = unknown_places(error)
    wrong = [found["loc"] for found in error.errors(include_url=False) if found["loc"] not in unknown]
    if any(len(place) < 2 or place[0] != "status" for place in wrong):
        return None
    # Of a list the one item goes: a condition that cannot be read must not take "it has succeeded" along.
    spoilt = {place[:3] if len(place) > 2 and isinstance(place[2], int) else place[:2] for place in wrong}
    last_first = sorted(spoilt, key=lambda place: (str(place[1]), place[2] if len(place) > 2 else -1), reverse=True)
    known: dict[str, Any] = without(without(resource, unknown), last_first)
    return known


def _noted(
    resource: dict[str, Any], outcome: Outcome, unknown: Sequence[Sequence[int | str]], now: datetime
) -> Outcome:
    """`outcome` with the fields of the spec that have no effect, in Accepted."""
    fields = [field_path(place) for place in unknown if place[0] == "spec"]
    found = find_condition({"status": outcome.status}, "Accepted")
    if not fields or found is None:
        return outcome
    note = f"{', '.join(fields)}: unknown to this operator ({__version__}) and without effect; upgrade the operator"
    state = State("Accepted", found["status"], found["reason"], "; ".join(filter(None, [found.get("message"), note])))
    told = set_condition(readable_conditions(resource), state, resource["metadata"].get("generation"), now).document()
    conditions = [told if one["type"] == "Accepted" else one for one in outcome.status["conditions"]]
    return replace(outcome, status={**outcome.status, "conditions": conditions})


def invalid_outcome(resource: dict[str, Any], error: ValueError, now: datetime) -> Outcome | None:
    """What to say about a resource whose reconciler raised `error`; None when no document is to blame."""
    problems = validate({name: part for name, part in resource.items() if name != "status"})
    said = [str(replace(problem, file="", line=None)) for problem in problems]
    if not said and isinstance(error, ValidationError):
        said = [f"{error.title} that it uses cannot be read: {error.errors(include_url=False)[0]['msg']}"]
    if not said:
        return None
    message = "; ".join(said) + "; change the document, or install CRDs and operator of the same version"
    old = readable_conditions(resource)
    generation = resource["metadata"].get("generation")
    states = [
        State(type_, "False", INVALID, message) for type_ in ("Accepted", KINDS[resource["kind"]].summary_condition)
    ]
    conditions = set_conditions(old, states, generation, now)
    told = {condition.type for condition in conditions}
    kept = [condition for condition in old if condition.type not in told]
    status = {
        **(resource.get("status") or {}),
        "observedGeneration": generation,
        "conditions": [condition.document() for condition in (*conditions, *kept)],
    }
    return Outcome([], [], status, events_of(old, conditions))
