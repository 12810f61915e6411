"""Jobs that somebody else holds back or starts: a queue, an admission policy, a person. They are left to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from swiftlet.api.base import Condition
from swiftlet.kinds.conditions.timestamps import from_text
from swiftlet.kinds.frame.asked import asked_anew, set_by_another
from swiftlet.kinds.frame.outcome import ObjectRef, ref_of
from swiftlet.kinds.frame.reading import Reader
from swiftlet.kinds.observing.kueue import held_in_queue, queue_of

SOONEST, LATEST = 2.0, 600.0
"""Seconds until a queue is asked again what a Job waits for, which nobody tells by itself: as long as it has waited."""

Manifest = dict[str, Any]
Hold = tuple[str, str]
"""(reason, message) of conditions while a Job is held."""


def hold_of(job: Manifest | None, suspend: bool, reader: Reader) -> Hold | None:
    """Who keeps a Job suspended and why, or None when nobody does, or the resource itself (`suspend`)."""
    if job is None or suspend or not job["spec"].get("suspend") or asked_anew(job, {"suspend": False}):
        return None
    queue = queue_of(job)
    if queue:
        return held_in_queue(job, queue, reader)
    name = job["metadata"]["name"]
    return "SuspendedByAnother", (
        f"{job['kind']} {name} was suspended by {hand_on(job, 'suspend')}, not by spec.suspend; it goes on when the"
        f" {job['kind']}'s spec.suspend is set to false, or when spec.suspend here is set to true and back to false"
    )


def only_deletion_stops(job: Manifest | None, suspend: bool) -> list[ObjectRef]:
    """The Job, when the resource wants it to stop and whoever holds the reins would start it again, or has.

    Kueue starts an admitted Job that is suspended by hand, and would keep its quota; deletion gives the quota back.
    """
    if job is None or not suspend or job["metadata"].get("deletionTimestamp"):
        return []
    started_again = not job["spec"].get("suspend") and set_by_another(job, "suspend")
    return [ref_of(job)] if queue_of(job) or started_again else []


def asks_again(hold: Hold | None, old: Sequence[Condition], now: datetime, told: str = "Suspended") -> float | None:
    """Seconds until the queue is asked again what it waits for; None when no queue holds anything back.

    told: type of the condition that says since when.
    """
    if hold is None or hold[0] == "SuspendedByAnother":
        return None
    since = next((condition.last_transition_time for condition in old if condition.type == told), None)
    waited = (now - from_text(since)).total_seconds() if since else 0.0
    return min(max(waited, SOONEST), LATEST)


def hand_on(child: Manifest, field: str) -> str:
    """Who else has set a field of spec last, in words."""
    owners = [entry for entry in child["metadata"].get("managedFields") or [] if field in _fields(entry)]
    if not owners:
        return "another hand"
    last = max(owners, key=lambda entry: entry.get("time") or "")
    return f"{last.get('manager') or 'another hand'}" + (f" at {last['time']}" if last.get("time") else "")


def _fields(entry: Manifest) -> set[str]:
    return {name.removeprefix("f:") for name in (entry.get("fieldsV1") or {}).get("f:spec") or {}}
