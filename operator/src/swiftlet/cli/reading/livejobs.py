"""What is at work: a row for each run that goes on and each served model, with its speed and what it holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from swiftlet.api import KINDS
from swiftlet.cli.printing.ages import age
from swiftlet.cli.printing.figures import figure, seconds
from swiftlet.cli.printing.table import render
from swiftlet.cli.reading.world import World
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.summary import settled
from swiftlet.kinds.frame.reading import OWNER_LABEL
from swiftlet.kinds.owning.owners import controller_of, descendants
from swiftlet.kube.paths import EXTRA_TYPES

Object = dict[str, Any]
KINDS_AT_WORK = ("FineTuneJob", "EvalRun", "ModelDeployment")
HEADS = ("Name", "State", "Step", "Done", "Loss", "Tokens/s", "ETA", "GPUs", "Pods", "Restarts", "Age")
WORKLOADS = ("Job", "Deployment", "ReplicaSet", "Pod")
NONE = "-"


def live(world: World, namespace: str | None) -> list[Object]:
    """Runs that have begun and not ended, and models that have pods."""
    found = [item for kind in KINDS_AT_WORK for item in world.list(kind, namespace)]
    return [item for item in found if _is_live(item)]


def _is_live(item: Object) -> bool:
    if item["kind"] == "ModelDeployment":
        return bool((item.get("status") or {}).get("replicas"))
    return settled(item) is None and bool((item.get("status") or {}).get("startTime"))


def pods_of(world: World, namespace: str | None, items: Sequence[Object]) -> dict[str, list[Object]]:
    """The pods of each item, by its uid."""
    listed = [found for kind in WORKLOADS for found in world.list(kind, namespace)]
    ours = [item for item in listed if OWNER_LABEL in (item["metadata"].get("labels") or {})]
    owners = {owner.kind for item in ours if (owner := controller_of(item))}
    listed += [found for kind in owners & EXTRA_TYPES.keys() for found in world.list(kind, namespace)]
    return {
        uid: [child for child in descendants(listed, place, uid) if child["kind"] == "Pod"]
        for uid, place in ((item["metadata"]["uid"], item["metadata"]["namespace"]) for item in items)
    }


def table(items: Sequence[Object], pods: Mapping[str, Sequence[Object]], now: datetime, everywhere: bool) -> str:
    """A row for each item."""
    rows = [_row(item, pods.get(item["metadata"]["uid"], ()), now) for item in items]
    if not everywhere:
        return render(HEADS, rows)
    return render(
        ("Namespace", *HEADS), [[item["metadata"]["namespace"], *row] for item, row in zip(items, rows, strict=True)]
    )


def _row(item: Object, pods: Sequence[Object], now: datetime) -> list[str]:
    status, metadata = item.get("status") or {}, item["metadata"]
    said = status.get("progress")
    progress: Object = said if isinstance(said, dict) else {}
    running = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Running"]
    restarts = status.get("restarts") or {}
    gpus = ((item["spec"].get("compute") or {}).get("gpus") or 0) * len(running)
    return [
        f"{item['kind'].lower()}/{metadata['name']}",
        _state(item),
        f"{progress['step']}/{progress['totalSteps']}" if progress.get("totalSteps") else NONE,
        f"{progress['percent']}%" if progress.get("percent") is not None else NONE,
        figure(progress["loss"]) if progress.get("loss") is not None else NONE,
        f"{float(progress['tokensPerSecond']):.0f}" if progress.get("tokensPerSecond") else NONE,
        seconds(progress["etaSeconds"]) if progress.get("etaSeconds") is not None else NONE,
        str(gpus),
        f"{len(running)}/{len(pods)}",
        str(restarts.get("user", 0) + restarts.get("infrastructure", 0)),
        age(status.get("startTime") or metadata.get("creationTimestamp"), now),
    ]


def _state(item: Object) -> str:
    """The reason of what goes on; of what does not, the reason of the summary."""
    for type_ in ("Running", KINDS[item["kind"]].summary_condition):
        condition = find_condition(item, type_) or {}
        if condition.get("reason") and (type_ != "Running" or condition["status"] == "True"):
            return str(condition["reason"])
    return "Pending"
