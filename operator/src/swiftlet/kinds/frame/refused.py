"""What is told of a resource whose children the API server refuses; the rest of its status goes on being written."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from swiftlet.api import KINDS
from swiftlet.api.base import Condition
from swiftlet.kinds.conditions.condition import State, Truth, find_condition, readable_conditions, set_conditions
from swiftlet.kinds.conditions.refusals import API_REFUSALS, Refusal
from swiftlet.kinds.conditions.verdict import Verdict, combine, refusal
from swiftlet.kinds.frame.events import events_of
from swiftlet.kinds.frame.outcome import Outcome

MAKING = frozenset({"JobCreating", "RollingOut"})
"""Reasons of conditions that wait for children; where these are refused, they say so."""


def is_told(resource: dict[str, Any]) -> bool:
    """Whether the stored status tells of a refusal."""
    return (find_condition(resource, "Accepted") or {}).get("reason") in API_REFUSALS


def refused_outcome(resource: dict[str, Any], outcome: Outcome, refusals: Sequence[Refusal], now: datetime) -> Outcome:
    """`outcome` with the refusals in Accepted, and in whatever would otherwise say that children are being made."""
    verdict = combine(Verdict(found.reason, found.message, found.waits) for found in refusals)
    if verdict is None:
        return outcome
    decided = readable_conditions({"status": outcome.status})
    states = [state for state in (_state(found, resource["kind"], verdict) for found in decided) if state]
    old = readable_conditions(resource)
    told = set_conditions(old, states, resource["metadata"].get("generation"), now)
    by_type = {condition.type: condition for condition in told}
    conditions = [by_type.get(condition.type, condition) for condition in decided]
    status = {**outcome.status, "conditions": [condition.document() for condition in conditions]}
    replaced = [condition for condition in decided if condition.type in by_type]
    untold = events_of(old, replaced)
    events = [event for event in outcome.events if event not in untold] + events_of(old, told)
    return replace(outcome, status=status, events=events)


def _state(condition: Condition, kind: str, verdict: Verdict) -> State | None:
    """What a condition says instead, or None where it goes on saying what it said."""
    if condition.type == "Accepted":
        return refusal("Accepted", verdict)
    if condition.reason not in MAKING:
        return None
    if condition.type in (KINDS[kind].summary_condition, "Progressing"):
        return refusal(condition.type, verdict)
    truth: Truth = "True" if condition.status == "True" else "False"
    return State(condition.type, truth, verdict.reason, verdict.message)
