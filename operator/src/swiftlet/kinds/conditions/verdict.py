"""Why a resource cannot go on: decision chains return verdicts, and all of them are told at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from swiftlet.kinds.conditions.condition import State


@dataclass(frozen=True)
class Verdict:
    """An obstacle. `waits`: it is expected to go away by itself (a reference that is not there yet); otherwise the
    resource is refused until somebody changes something."""

    reason: str
    message: str
    waits: bool = False


def combine(verdicts: Iterable[Verdict | None]) -> Verdict | None:
    """All obstacles as one: refusals before waits, every message told, the first reason named."""
    found = sorted((v for v in verdicts if v is not None), key=lambda verdict: verdict.waits)
    if not found:
        return None
    messages = list(dict.fromkeys(verdict.message for verdict in found))
    return Verdict(found[0].reason, "; ".join(messages), found[0].waits)


def refusal(type_: str, verdict: Verdict) -> State:
    """An obstacle as a condition: Unknown while it may go away by itself."""
    return State(type_, "Unknown" if verdict.waits else "False", verdict.reason, verdict.message)
