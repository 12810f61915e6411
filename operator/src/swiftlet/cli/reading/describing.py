"""What `describe` prints: everything about one object, the important first."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from swiftlet.api import KINDS
from swiftlet.cli.places import artifact_folder, reports
from swiftlet.cli.printing.ages import age
from swiftlet.cli.printing.diagnosis import explain
from swiftlet.cli.printing.figures import one_line
from swiftlet.cli.printing.loading import loading_lines
from swiftlet.cli.printing.table import render
from swiftlet.cli.reading.columns import rows_of
from swiftlet.cli.reading.finding import children_of
from swiftlet.cli.reading.resourcekinds import kind_of
from swiftlet.cli.reading.world import World
from swiftlet.local.places import models_mirror

Object = dict[str, Any]
INDENT = "  "
_SHOWN_APART = ("conditions", "failure")


def description(world: World, item: Object, now: datetime | None = None) -> str:
    """The text, ending without a newline."""
    moment = now or datetime.now(UTC)
    parts = [_head(item, moment)]
    if item["kind"] in KINDS and (cause := explain(item, world.folder)):
        parts.append("Failure:\n" + _indented("\n".join(cause)))
    if world.folder and (files := _files(item, world.folder)):
        parts.append("Files on this machine:\n" + _indented(files))
    if item.get("spec"):
        parts.append("Spec:\n" + _indented(outline(item["spec"])))
    elif item["kind"] == "ConfigMap":
        parts.append(
            "Data:\n"
            + _indented(outline({key: f"{len(text)} characters" for key, text in (item.get("data") or {}).items()}))
        )
    status = item.get("status") or {}
    rest = {key: value for key, value in status.items() if key not in _SHOWN_APART and value not in (None, [], {})}
    if rest:
        parts.append("Status:\n" + _indented(outline(rest)))
    if status.get("conditions"):
        parts.append("Conditions:\n" + _conditions(status["conditions"], moment))
    if item["kind"] in KINDS and (children := _children(world, item)):
        parts.append("Children:\n" + children)
    parts.append("Events:" + (_events(world, item, moment) or " <none>"))
    return "\n".join(parts)


def outline(value: Any) -> str:
    """A document as indented `key: value` lines, as kubectl describe shows it."""
    if isinstance(value, dict):
        return "\n".join(_entry(f"{key}:", part) for key, part in value.items())
    if isinstance(value, list):
        return "\n".join(_entry("-", part) for part in value)
    return _scalar(value)


def _entry(label: str, value: Any) -> str:
    if isinstance(value, dict) and value and label == "-":
        return "- " + _indented(outline(value)).removeprefix(INDENT)
    if isinstance(value, dict | list) and value:
        return f"{label}\n{_indented(outline(value))}"
    text = _scalar(value)
    return f"{label}\n{_indented(text)}" if "\n" in text else f"{label} {text}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "<none>" if value in (None, "", [], {}) else str(value)


def _indented(text: str) -> str:
    return "\n".join(INDENT + line for line in text.splitlines())


def _head(item: Object, now: datetime) -> str:
    metadata = item["metadata"]
    labels = [f"{key}={value}" for key, value in (metadata.get("labels") or {}).items()] or ["<none>"]
    owners = [f"{owner['kind']}/{owner['name']}" for owner in metadata.get("ownerReferences") or []]
    rows = [
        ("Name:", metadata["name"]),
        ("Namespace:", metadata.get("namespace") or "<cluster>"),
        ("Kind:", item["kind"]),
        ("Labels:", labels[0]),
        *(("", label) for label in labels[1:]),
        *([("Controlled by:", ", ".join(owners))] if owners else []),
        ("Created:", f"{metadata.get('creationTimestamp')} ({age(metadata.get('creationTimestamp'), now)} ago)"),
    ]
    return "\n".join(f"{key:<15}{value}" for key, value in rows)


def _files(item: Object, state: Path) -> str:
    """The artifact's folder, the Python that loads it, and the reports; empty while there are none."""
    folder = artifact_folder(state, item)
    lines = [f"artifact: {folder}"] if folder else []
    lines += [f"report: {page.absolute()}" for page in reports(state, item)]
    loading = loading_lines(item, state, models_mirror(os.environ))
    return "\n".join([*lines, *(["load it with:", *(INDENT + line for line in loading)] if loading else [])])


def _conditions(conditions: list[Object], now: datetime) -> str:
    rows = [
        [
            condition["type"],
            condition["status"],
            condition.get("reason") or "",
            age(condition.get("lastTransitionTime"), now),
            one_line(condition.get("message") or ""),
        ]
        for condition in conditions
    ]
    return render(["Type", "Status", "Reason", "Since", "Message"], rows, indent=INDENT)


def _children(world: World, item: Object) -> str:
    rows = []
    for child in children_of(world, item):
        if child["kind"] == "Event":
            continue
        heads, (cells,) = rows_of(kind_of(child["kind"]), [child], prefixed=True)
        shown = [f"{head.lower()} {cell}" for head, cell in zip(heads[1:-1], cells[1:-1], strict=True)]
        rows.append([cells[0], cells[-1], ", ".join(shown)])
    return render(["Name", "Age", "State"], rows, indent=INDENT) if rows else ""


def _events(world: World, item: Object, now: datetime) -> str:
    metadata = item["metadata"]
    found = world.events(item["kind"], metadata.get("namespace"), metadata["name"])
    rows = [
        [
            event["type"],
            event["reason"],
            age(event["lastTimestamp"], now) + (f" (x{event['count']})" if event.get("count", 1) > 1 else ""),
            one_line(event["message"]),
        ]
        for event in found
    ]
    return "\n" + render(["Type", "Reason", "Age", "Message"], rows, indent=INDENT) if rows else ""
