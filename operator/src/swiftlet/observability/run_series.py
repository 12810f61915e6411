"""What Prometheus is told of one resource, from its status: figures of the run, results, replicas.

Names follow Prometheus' rules (https://prometheus.io/docs/practices/naming/): one unit in each family, seconds and
ratios. Figures of a run are those of `api.progress.Progress`, by the same names.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_camel

from swiftlet.api import KINDS
from swiftlet.api.v1alpha1.compute import parse_quantity
from swiftlet.api.v1alpha1.progress import Progress
from swiftlet.control.keys import Key, key_of
from swiftlet.kinds.attempts.restart import INFRASTRUCTURE_LIMIT
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.summary import settled
from swiftlet.kinds.conditions.timestamps import from_text

Object = dict[str, Any]


@dataclass(frozen=True)
class Family:
    """A gauge: its name, what it says, and its labels after those of the resource."""

    name: str
    text: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """One value of a family, for one resource."""

    family: Family
    labels: tuple[str, ...]
    value: float


IDENTITY = ("kind", "namespace", "name")
"""Labels of every family."""
IN_WORDS = {"message"}
BY_CHANNEL = {"channel_losses", "eval_channel_losses"}
RENAMED = {"percent": "progress_ratio", "mfu": "model_flops_utilization_ratio"}
"""Fields of `Progress` that Prometheus' rules name otherwise."""
FIGURES = {
    to_camel(name): Family(
        f"swiftlet_run_{RENAMED.get(name, name)}",
        field.description or "",
        ("channel",) if name in BY_CHANNEL else (),
    )
    for name, field in Progress.model_fields.items()
    if name not in IN_WORDS
}
"""Families of a run that goes on, by the field of `status.progress`."""
STATE = Family("swiftlet_state", "1 for the reason of the resource's summary condition.", ("state",))
STARTED = Family("swiftlet_run_start_time_seconds", "When the run's first pod was made, since the epoch.")
RESTARTS = Family("swiftlet_run_restarts", "Restarts of the run so far.", ("cause",))
RESTARTS_LEFT = Family("swiftlet_run_restarts_left", "Restarts of the run before it fails.", ("cause",))
ROWS = Family("swiftlet_run_rows", "Rows of the run's data sets, by what became of them.", ("use",))
ROWS_DROPPED = Family("swiftlet_run_rows_dropped", "Rows of the run's data sets that were left out.", ("reason",))
DEVICES = Family("swiftlet_run_devices", "Devices that the run's active pods hold.", ("resource",))
RESULT = Family("swiftlet_evalrun_result", "Figure of an evaluation that has ended.", ("suite", "metric", "subject"))
GATE = Family(
    "swiftlet_evalrun_gate_passed", "1 for a gate that is passed, 0 for one that is not.", ("suite", "metric")
)
REPLICAS = Family("swiftlet_modeldeployment_replicas", "Pods that exist.")
READY = Family("swiftlet_modeldeployment_ready_replicas", "Pods in which every served name has answered.")
WANTED = Family("swiftlet_modeldeployment_desired_replicas", "Pods that there should be.")
NAMES = Family("swiftlet_modeldeployment_served_names", "Names that clients may ask for: the model and its adapters.")
ADAPTERS = Family(
    "swiftlet_modeldeployment_adapters",
    "Adapters of spec.adapters that answer (serving), or do not yet (waiting).",
    ("state",),
)
REVISION = Family(
    "swiftlet_modeldeployment_revision",
    "Number of the revision that all pods were of last (current), and of the one that they become (update).",
    ("which",),
)

FAMILIES = (
    *(STATE, *FIGURES.values(), STARTED, RESTARTS, RESTARTS_LEFT, ROWS, ROWS_DROPPED, DEVICES),
    *(RESULT, GATE, REPLICAS, READY, WANTED, NAMES, ADAPTERS, REVISION),
)


def is_running(resource: Object) -> bool:
    """Whether it is bounded work that goes on: its series end when it does."""
    return resource["kind"] in ("FineTuneJob", "EvalRun") and settled(resource) is None


def samples(resource: Object) -> Iterator[Sample]:
    """Everything that the resource itself says."""
    identity = key_of(resource)
    for family, labels, value in _values(resource):
        yield Sample(family, (*identity, *labels), value)


def devices(identity: Key, children: Iterable[Object]) -> Iterator[Sample]:
    """Extended resources (`domain/name`) that a resource's active pods hold, from its Jobs."""
    held: dict[str, int] = {}
    for job in children:
        active = (job.get("status") or {}).get("active") or 0 if job["kind"] == "Job" else 0
        for container in job["spec"]["template"]["spec"]["containers"] if active else ():
            limits = (container.get("resources") or {}).get("limits") or {}
            for name in (name for name in limits if "/" in name):
                held[name] = held.get(name, 0) + active * int(parse_quantity(str(limits[name])))
    for name, count in held.items():
        yield Sample(DEVICES, (*identity, name), count)


def _values(resource: Object) -> Iterator[tuple[Family, tuple[str, ...], float]]:
    status = resource.get("status") or {}
    condition = find_condition(resource, KINDS[resource["kind"]].summary_condition)
    if is_running(resource) or resource["kind"] == "ModelDeployment":
        yield STATE, ((condition or {}).get("reason") or "Pending",), 1
    if is_running(resource):
        yield from _figures(status.get("progress") or {})
        yield from _course(resource["spec"], status)
        yield from _rows(status.get("dataset") or {})
    for one in status.get("results") or ():
        if (value := _number(one["value"])) is not None:
            yield RESULT, (one["suite"], one["metric"], one.get("subject") or "target"), value
    for one in status.get("gates") or ():
        yield GATE, (one["suite"], one["metric"]), one["passed"]
    if resource["kind"] == "ModelDeployment":
        yield WANTED, (), resource["spec"].get("replicas", 1)
        yield REPLICAS, (), status.get("replicas") or 0
        yield READY, (), status.get("readyReplicas") or 0
        yield NAMES, (), len(status.get("servedNames") or ())
        yield from _adapters(resource["spec"].get("adapters") or (), status)
        yield from _revisions(status)


def _adapters(asked: Iterable[Object], status: Object) -> Iterator[tuple[Family, tuple[str, ...], float]]:
    """A pod is ready when each of its names has answered, so that a name is served where any pod is ready."""
    served = set(status.get("servedNames") or ()) if status.get("readyReplicas") else set[str]()
    names = [one["name"] for one in asked]
    serving = sum(name in served for name in names)
    yield ADAPTERS, ("serving",), serving
    yield ADAPTERS, ("waiting",), len(names) - serving


def _revisions(status: Object) -> Iterator[tuple[Family, tuple[str, ...], float]]:
    for which in ("current", "update"):
        if (number := status.get(f"{which}Revision")) is not None:
            yield REVISION, (which,), number


def _figures(progress: Object) -> Iterator[tuple[Family, tuple[str, ...], float]]:
    for field in progress.keys() & FIGURES.keys():
        family, found = FIGURES[field], progress[field]
        for labels, text in [((channel,), each) for channel, each in found.items()] if family.labels else [((), found)]:
            if (value := _number(text)) is not None:
                yield family, labels, value / 100 if field == "percent" else value


def _course(spec: Object, status: Object) -> Iterator[tuple[Family, tuple[str, ...], float]]:
    if started := status.get("startTime"):
        yield STARTED, (), from_text(started).timestamp()
    restarts = status.get("restarts") or {}
    yield RESTARTS, ("user",), restarts.get("user") or 0
    yield RESTARTS, ("infrastructure",), restarts.get("infrastructure") or 0
    allowed = spec.get("infrastructureRestartLimit")
    yield RESTARTS_LEFT, ("user",), spec["backoffLimit"] - (restarts.get("user") or 0)
    yield (
        RESTARTS_LEFT,
        ("infrastructure",),
        (INFRASTRUCTURE_LIMIT if allowed is None else allowed) - (restarts.get("infrastructureRecent") or 0),
    )


def _rows(counts: Object) -> Iterator[tuple[Family, tuple[str, ...], float]]:
    for use, field in (("read", "read"), ("trained", "used"), ("held_out", "evalRows")):
        if field in counts:
            yield ROWS, (use,), counts[field]
    for reason, count in (counts.get("dropped") or {}).items():
        yield ROWS_DROPPED, (reason,), count


def _number(text: str | float) -> float | None:
    """None for what is no number: a status may have been written by others."""
    try:
        return float(text)
    except ValueError:
        return None
