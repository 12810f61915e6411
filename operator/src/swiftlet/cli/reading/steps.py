"""The steps of a FineTuneJob with their figures: from its history where it lies on this machine, else its log."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from swiftlet.cli.places import path_of
from swiftlet.cli.reading.finding import children_of
from swiftlet.cli.reading.logreading import pods_to_read
from swiftlet.cli.reading.world import Choice, World
from swiftlet.kinds.attempts.told_document import told_document
from swiftlet.wire.messages import ProgressEvent

Object = dict[str, Any]
HISTORY = "events.jsonl"
TAIL = 5000
"""Lines of a log in which steps are looked for: a cluster answers with no more."""
_FIGURE = re.compile(r"(\w+)=(\S+)")
_ALIASES = {name: field.alias or name for name, field in ProgressEvent.model_fields.items()}


def steps_of(world: World, item: Object) -> list[Object]:
    """Each step once, in order, its figures by the names of status.progress; empty before the first.

    On a cluster these are the steps of the newest attempt. Raises ClusterError.
    """
    if world.folder is None:
        choice = Choice(container="train")
        pods = pods_to_read(world, item, choice)
        reader = world.lines(item["metadata"]["namespace"], TAIL)
        found = from_log(line.text for line in reader.new_lines(pods, choice)) if pods else []
    else:
        found = _from_history(world.folder, item, children_of(world, item))
    return sorted({step["step"]: step for step in found}.values(), key=lambda step: int(step["step"]))


def from_log(lines: Iterable[str]) -> list[Object]:
    """The steps that a trainer's lines for people tell (`swiftlet_trainer.progress.plain`)."""
    told = (dict(_FIGURE.findall(line)) for line in lines if line.startswith("progress "))
    named = ({_ALIASES[name]: figure for name, figure in one.items() if name in _ALIASES} for one in told)
    return [{**one, "step": int(one["step"])} for one in named if one.get("step", "").isdigit()]


def from_history(text: str) -> list[Object]:
    """The steps of `events.jsonl`; a line that is being written, or that a kill cut short, is none."""
    found = []
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("type") == "progress" and isinstance(event.get("step"), int):
            found.append(event)
    return found


def _from_history(state: Path, item: Object, children: Iterable[Object]) -> list[Object]:
    """The status names the artifact once there is one; what the pods were told does from the start."""
    uris = [((item.get("status") or {}).get("artifact") or {}).get("uri")]
    uris.append((told_document(children) or {}).get("artifactUri"))
    for uri in filter(None, uris):
        made = path_of(state, uri)
        if made and (history := made.parent / HISTORY).is_file():
            return from_history(history.read_text(encoding="utf-8", errors="replace"))
    return []
