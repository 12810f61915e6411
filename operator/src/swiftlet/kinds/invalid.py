"""Resources that the API server has let in and that cannot be read: their status says so, and nothing else is done.

It happens when CRDs and operator are of different versions, or when a rule of the CRDs was not installed.
"""

import copy
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from swiftlet.api import KINDS
from swiftlet.api.validation import validate
from swiftlet.kinds.conditions import State, readable_conditions, set_conditions
from swiftlet.kinds.events import events_of
from swiftlet.kinds.outcome import Outcome

INVALID = "Invalid"
"""Reason of Accepted and of the summary condition."""


def without_unreadable_status(resource: dict[str, Any], error: ValidationError) -> dict[str, Any] | None:
    """The resource without the fields of its status that cannot be read, which another version has written.

    None when the status is not what is wrong.
    """
    locations = [found["loc"] for found in error.errors(include_url=False)]
    if error.title != resource["kind"] or any(len(at) < 2 or at[0] != "status" for at in locations):
        return None
    status = copy.deepcopy(resource["status"])
    for location in locations:
        status.pop(location[1], None)
    return {**resource, "status": status}


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
