"""What `get` shows of each kind."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from swiftlet.api import KINDS
from swiftlet.api.base import Column
from swiftlet.api.v1alpha1.backends import BACKENDS
from swiftlet.cli.places import artifact_folder, reports
from swiftlet.cli.printing import podstate
from swiftlet.cli.printing.ages import age
from swiftlet.cli.printing.jsonpath import find
from swiftlet.cli.reading.resourcekinds import ResourceKind

Object = dict[str, Any]
NONE = "<none>"


@dataclass(frozen=True)
class Cell:
    """A column: its head, and the text that it shows of an object now."""

    head: str
    text: Callable[[Object, datetime], str]
    wide: bool = False


def at_path(column: Column) -> Cell:
    """A printer column, read as the API server does: the first value.

    Where there is none, kubectl leaves the cell blank; `<none>` is easier to read and to split.
    """

    def text(item: Object, now: datetime) -> str:
        values = find(item, column.path)
        if not values:
            return NONE
        return age(values[0], now) if column.type == "date" else _plain(values[0])

    return Cell(column.name, text, column.wide)


def _plain(value: Any) -> str:
    if isinstance(value, list | dict | bool):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)


def _field(head: str, path: str, type_: str = "string", wide: bool = False) -> Cell:
    return at_path(Column(head, path, type_, wide))


def _joined(head: str, path: str, wide: bool = False) -> Cell:
    return Cell(head, lambda item, _now: ",".join(map(str, find(item, path))) or NONE, wide)


def _keys(item: Object, _now: datetime) -> str:
    return str(len(item.get("data") or {}) + len(item.get("binaryData") or {}))


def _involved(item: Object, _now: datetime) -> str:
    about = item["involvedObject"]
    return f"{about['kind'].lower()}/{about['name']}"


def _completions(item: Object, _now: datetime) -> str:
    return f"{(item.get('status') or {}).get('succeeded', 0)}/{item['spec'].get('completions', 1)}"


def _job_state(item: Object, _now: datetime) -> str:
    conditions = (item.get("status") or {}).get("conditions") or []
    ended = [condition["type"] for condition in conditions if condition["status"] == "True"]
    return next((name for name in ("Complete", "Completed", "Failed", "Suspended") if name in ended), "Running")


def _available(item: Object, _now: datetime) -> str:
    return f"{(item.get('status') or {}).get('readyReplicas', 0)}/{item['spec'].get('replicas', 1)}"


_AGE = _field("Age", ".metadata.creationTimestamp", "date")
_CHILD_COLUMNS: dict[str, tuple[Cell, ...]] = {
    **{facts.kind: (Cell("Status", _job_state), _AGE) for facts in BACKENDS.values()},
    "Pod": (
        Cell("Ready", lambda pod, _now: podstate.ready_count(pod)),
        Cell("Status", lambda pod, _now: podstate.state_word(pod)),
        Cell("Restarts", lambda pod, _now: str(podstate.restarts(pod))),
        _AGE,
        _joined("Exit codes", ".status.containerStatuses[*].state.terminated.exitCode", wide=True),
        _field("IP", ".status.podIP", wide=True),
    ),
    "Job": (Cell("Status", _job_state), Cell("Completions", _completions), _AGE),
    "Deployment": (Cell("Ready", _available), _AGE),
    "Service": (
        _field("Cluster-IP", ".spec.clusterIP"),
        _joined("Port(s)", ".spec.ports[*].port"),
        _AGE,
    ),
    "ConfigMap": (Cell("Data", _keys), _AGE),
    "Secret": (Cell("Data", _keys), _AGE),
    "PersistentVolumeClaim": (_field("Status", ".status.phase"), _AGE),
    "ReplicaSet": (_AGE,),
    "ControllerRevision": (_field("Revision", ".revision"), _AGE),
    "NetworkPolicy": (_AGE,),
    "PodDisruptionBudget": (_AGE,),
    "Event": (
        _field("Last seen", ".lastTimestamp", "date"),
        _field("Type", ".type"),
        _field("Reason", ".reason"),
        Cell("Object", _involved),
        _field("Count", ".count", wide=True),
        _field("Message", ".message"),
    ),
}


def columns_of(kind: ResourceKind, wide: bool = False) -> list[Cell]:
    """The columns after NAME; events have no NAME column of use, as in kubectl."""
    cells = tuple(map(at_path, KINDS[kind.name].columns)) if kind.ours else _CHILD_COLUMNS[kind.name]
    return [cell for cell in cells if wide or not cell.wide]


NAMESPACE = Cell("Namespace", lambda item, _now: str(item["metadata"].get("namespace") or ""))


def place_cells(kind: ResourceKind, state: Path | None) -> list[Cell]:
    """Where on this machine the files of a resource lie; kubectl has no such columns. None without a state folder."""
    if state is None:
        return []
    artifact = Cell("Folder", lambda item, _now: str(artifact_folder(state, item) or NONE))
    report = Cell("Report", lambda item, _now: ",".join(str(page.absolute()) for page in reports(state, item)) or NONE)
    return {"FineTuneJob": [artifact, report], "EvalRun": [report]}.get(kind.name, [])


def rows_of(
    kind: ResourceKind,
    objects: Sequence[Object],
    wide: bool = False,
    prefixed: bool = False,
    now: datetime | None = None,
    *,
    first: Sequence[Cell] = (),
    last: Sequence[Cell] = (),
) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of a table. `prefixed` names are `kind/name`. `first` and `last` are columns at its two ends."""
    moment = now or datetime.now(UTC)
    prefix = f"{kind.name.lower()}/" if prefixed else ""
    name = Cell("Name", lambda item, _now: prefix + str(item["metadata"]["name"]))
    cells = [*first, *([name] if kind.name != "Event" else []), *columns_of(kind, wide), *last]
    return [cell.head for cell in cells], [[cell.text(item, moment) for cell in cells] for item in objects]
