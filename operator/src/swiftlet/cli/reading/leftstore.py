"""What a killed engine has left, told as it is: nothing runs."""

from datetime import datetime
from pathlib import Path
from typing import Any

from swiftlet.api import KINDS
from swiftlet.cli.reading.logfiles import LogFiles
from swiftlet.kinds.conditions.condition import has_condition
from swiftlet.kinds.conditions.summary import settled
from swiftlet.kinds.frame.reading import OWNER_LABEL
from swiftlet.local.lock import lock_holder
from swiftlet.local.lostpods import lost_status
from swiftlet.local.podstatus import TERMINAL
from swiftlet.local.store import Documents, Store

Object = dict[str, Any]
WAYS_ON = {"ModelDeployment": "`swiftlet run PATH --keep` serves it again"}
WAY_ON = "`swiftlet run PATH` goes on"
STOPPED = {"Running": "False", "PodsReady": "False", "Progressing": "Unknown", "Ready": "False", "Succeeded": "Unknown"}
"""What the conditions that are about the moment say of a resource that nobody works on."""
BEGINNINGS = ("JobCreating", "PodsStarting", "RollingOut", "Unavailable", "Stopped")
"""Reasons of what does not work yet that name no cause."""
COUNTS = ("readyReplicas", "availableReplicas", "active", "ready")
OF_THE_MOMENT = ("etaSeconds", "tokensPerSecond", "message")
"""Figures of a run's progress that are true only while it goes on."""


class LeftStore(Store):
    """A state folder, to read (`cli.reading.world.World`). An engine writes when its pods end; a killed one could not,
    so the reader does."""

    namespace = "default"
    pause = 0.4

    def __init__(self, root: Path) -> None:
        super().__init__(root, read_only=True)
        self.folder: Path | None = root
        self._root = root

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        found = super().get(kind, namespace, name)
        return found and self._as_it_is([found])[0]

    def list(
        self, kind: str | None = None, namespace: str | None = None, labels: dict[str, str] | None = None
    ) -> Documents:
        return self._as_it_is(super().list(kind, namespace, labels))

    def descendants(self, namespace: str, uid: str) -> Documents:
        return self._as_it_is(super().descendants(namespace, uid))

    def check_namespace(self, namespace: str) -> None:
        """A folder has whatever namespaces its objects name."""

    def is_at_work(self) -> bool:
        return lock_holder(self._root) is not None

    def lines(self, namespace: str, tail: int | None = None, since: datetime | None = None) -> LogFiles:
        return LogFiles(self._root, namespace)

    def _as_it_is(self, items: Documents) -> Documents:
        if not any(item.get("status") for item in items) or lock_holder(self._root):
            return items
        pods = [pod for pod in super().list("Pod") if (pod.get("status") or {}).get("phase") not in TERMINAL]
        at_work = {(pod["metadata"].get("labels") or {}).get(OWNER_LABEL) for pod in pods if pod.get("status")}
        return [_stopped(item, at_work) for item in items]


def _stopped(item: Object, at_work: set[str | None]) -> Object:
    """An object without what an engine that is gone said of the moment."""
    status, uid = item.get("status"), item["metadata"]["uid"]
    if not status:
        return item
    if item["kind"] in KINDS:
        runs = has_condition(item, "Ready") or (uid in at_work and not settled(item))
        return {**item, "status": _stopped_status(item)} if runs else item
    if item["kind"] == "Pod" and status.get("phase") not in TERMINAL:
        return {**item, "status": lost_status(item)}
    counts = {name: 0 for name in COUNTS if status.get(name)} if item["kind"] in ("Job", "Deployment") else {}
    return {**item, "status": {**status, **counts}}


def _stopped_status(item: Object) -> Object:
    status = dict(item["status"])
    conditions = []
    for condition in status.get("conditions") or []:
        if condition["type"] in STOPPED:
            message = _message(item, condition)
            condition = {**condition, "status": STOPPED[condition["type"]], "reason": "Stopped", "message": message}
        conditions.append(condition)
    status["conditions"] = conditions
    if "readyReplicas" in status:
        status["readyReplicas"] = 0
    if isinstance(status.get("progress"), dict):
        status["progress"] = {key: value for key, value in status["progress"].items() if key not in OF_THE_MOMENT}
    return status


def _message(item: Object, condition: Object) -> str:
    """Where it stopped, and what kept it from work before."""
    progress = item["status"].get("progress")
    at = ""
    if isinstance(progress, dict) and progress.get("step") is not None and progress.get("totalSteps"):
        at = f" at {progress['step']}/{progress['totalSteps']}"
    elif isinstance(progress, dict) and progress.get("percent"):
        at = f" at {progress['percent']}%"
    went_well = any(has_condition(item, type_) for type_ in ("Running", "Ready")) or condition["reason"] in BEGINNINGS
    before = f"{condition['reason']}: {condition.get('message')}; then " if not went_well else ""
    return f"{before}stopped{at}: no engine runs; {WAYS_ON.get(item['kind'], WAY_ON)}"
