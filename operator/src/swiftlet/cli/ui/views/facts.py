"""What is known of a run, as pairs and tables that the page lays out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from swiftlet.cli.printing.ages import age
from swiftlet.cli.printing.figures import figure
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.timestamps import from_text

Object = dict[str, Any]


@dataclass(frozen=True)
class Grid:
    """A table. `empty`: what is said where it has no rows."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str = ""


def reading_time(items: Sequence[Object], clock: datetime | None = None) -> datetime:
    """Now, or when the newest of these was made where the clock that wrote it is ahead: no age is negative."""
    made = [item["metadata"].get("creationTimestamp") for item in items]
    return max([clock or datetime.now(UTC), *(from_text(time) for time in made if time)])


def plan(item: Object) -> Grid:
    """How the run is computed, as it was planned."""
    status = item.get("status") or {}
    accepted = find_condition(item, "Accepted") or {}
    said = [["in short", accepted["message"]]] if accepted.get("message") else []
    rows = [*said, *([_words(name), str(value)] for name, value in (status.get("plan") or {}).items())]
    return Grid("Plan", ("What", "How"), rows, "nothing is planned yet")


def data(item: Object) -> tuple[Grid, Grid, Grid]:
    """Where a FineTuneJob's rows come from, how many there are, and how many were left out and why."""
    status = (item.get("status") or {}).get("dataset") or {}
    sources = [
        [str(one.get("uri") or one.get("fineTuneJobRef") or ""), str(one.get("format", "")), str(one.get("weight", ""))]
        for one in item["spec"].get("datasets") or ()
    ]
    counts = [[_words(name), str(value)] for name, value in status.items() if not isinstance(value, dict | list)]
    dropped = [[reason, str(count)] for reason, count in (status.get("dropped") or {}).items()]
    unread = "the rows have not been read yet"
    return (
        Grid("Sources", ("Uri", "Format", "Weight"), sources, "this run names no data"),
        Grid("Rows", ("What", "Count"), counts, unread),
        Grid("Dropped", ("Reason", "Rows"), dropped, "no row was left out" if status else unread),
    )


def conditions(item: Object, now: datetime) -> Grid:
    """What its controller says of it."""
    found = (item.get("status") or {}).get("conditions") or []
    rows = [
        [one["type"], one["status"], one.get("reason") or "", _since(one, now), one.get("message") or ""]
        for one in found
    ]
    return Grid("Conditions", ("Type", "Status", "Reason", "Since", "Message"), rows, "nothing has looked at it yet")


def events(found: Sequence[Object], now: datetime) -> Grid:
    """What happened, newest first."""
    rows = [
        [
            age(event["lastTimestamp"], max(now, from_text(event["lastTimestamp"]))),
            event["type"],
            event["reason"],
            f"{event['involvedObject']['kind'].lower()}/{event['involvedObject']['name']}",
            event["message"] + (f" (x{event['count']})" if event.get("count", 1) > 1 else ""),
        ]
        for event in reversed(found)
    ]
    return Grid("Events", ("Last seen", "Type", "Reason", "Object", "Message"), rows, "nothing has happened yet")


def progress(item: Object) -> tuple[float, str] | None:
    """(share done from 0 to 1, in words) while a run tells of steps."""
    told = (item.get("status") or {}).get("progress")
    if not isinstance(told, dict) or not told.get("totalSteps"):
        return None
    loss = f", loss {figure(told['loss'])}" if told.get("loss") is not None else ""
    return told.get("step", 0) / told["totalSteps"], f"step {told.get('step', 0)} of {told['totalSteps']}{loss}"


def _since(condition: Object, now: datetime) -> str:
    time = condition.get("lastTransitionTime")
    return age(time, max(now, from_text(time))) if time else ""


def _words(name: str) -> str:
    """perDeviceBatchSize as `per device batch size`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
