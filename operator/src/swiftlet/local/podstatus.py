"""The status of a pod from the states of its containers. Source: kubelet, getPhase and GeneratePodReadyCondition."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

State = dict[str, Any]
TERMINAL = ("Succeeded", "Failed")
LOOPBACK = "127.0.0.1"


def stamp(moment: datetime | None = None) -> str:
    """RFC 3339, UTC, with microseconds: the order in which ranks ended is the order of the causes."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class ContainerRecord:
    """What is known of one container."""

    name: str
    image: str = ""
    state: State = field(default_factory=lambda: {"waiting": {"reason": "PodInitializing"}})
    last_state: State = field(default_factory=dict)
    restarts: int = 0
    started: bool = False
    ready: bool = False

    @property
    def terminated(self) -> State | None:
        return self.state.get("terminated")

    def document(self) -> dict[str, Any]:
        """core/v1 ContainerStatus."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": "",
            "state": self.state,
            "lastState": self.last_state,
            "restartCount": self.restarts,
            "started": self.started,
            "ready": self.ready,
        }


def phase_of(init: Sequence[ContainerRecord], main: Sequence[ContainerRecord], policy: str) -> str:
    """Pending, Running, Succeeded or Failed."""
    if any(record.terminated and record.terminated["exitCode"] != 0 for record in init) and policy == "Never":
        return "Failed"
    if not all(record.terminated and record.terminated["exitCode"] == 0 for record in init):
        return "Pending"
    if any("waiting" in record.state and not record.last_state for record in main):
        return "Pending"
    if any("running" in record.state for record in main) or policy == "Always":
        return "Running"
    if all(record.terminated and record.terminated["exitCode"] == 0 for record in main):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def conditions_of(
    phase: str, init: Sequence[ContainerRecord], main: Sequence[ContainerRecord], shortage: str | None
) -> list[dict[str, Any]]:
    """PodScheduled, Initialized, ContainersReady and Ready, without times."""
    scheduled = _condition("PodScheduled", not shortage, "Unschedulable", shortage or "")
    done = all(record.terminated and record.terminated["exitCode"] == 0 for record in init)
    waiting = [record.name for record in init if not (record.terminated and record.terminated["exitCode"] == 0)]
    initialized = _condition("Initialized", done, "ContainersNotInitialized", f"incomplete: {', '.join(waiting)}")
    unready = [record.name for record in main if not record.ready]
    reason = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "ContainersNotReady")
    ready = not unready and phase == "Running"
    message = f"containers with unready status: {', '.join(unready)}" if unready and phase not in TERMINAL else ""
    return [
        scheduled,
        initialized,
        _condition("ContainersReady", ready, reason, message),
        _condition("Ready", ready, reason, message),
    ]


def pod_status(
    old: dict[str, Any],
    init: Sequence[ContainerRecord],
    main: Sequence[ContainerRecord],
    policy: str,
    shortage: str | None = None,
    ending: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The whole status; times of conditions that did not change are kept from `old`.

    ending: phase, reason and message of a pod that was ended from outside, and `disruption`, the reason of its
    DisruptionTarget condition.
    """
    ended = ending or {}
    phase = ended.get("phase") or phase_of(init, main, policy)
    conditions = conditions_of(phase, init, main, shortage)
    if ended.get("disruption"):
        conditions.append(_condition("DisruptionTarget", True, ended["disruption"], ended["message"], keep=True))
    status = {
        "phase": phase,
        "conditions": with_times(conditions, old.get("conditions") or []),
        "hostIP": LOOPBACK,
        "podIP": LOOPBACK,
        "podIPs": [{"ip": LOOPBACK}],
        "startTime": old.get("startTime"),
        "reason": ended.get("reason"),
        "message": ended.get("message"),
        "initContainerStatuses": [record.document() for record in init],
        "containerStatuses": [record.document() for record in main],
    }
    if not shortage and not status["startTime"]:
        status["startTime"] = stamp()
    return {name: value for name, value in status.items() if value not in (None, [])}


def with_times(new: list[dict[str, Any]], old: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Conditions with lastTransitionTime: now where the status flipped, else as before."""
    before = {condition["type"]: condition for condition in old}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def time_of(condition: dict[str, Any]) -> str:
        was = before.get(condition["type"])
        return str(was["lastTransitionTime"]) if was and was["status"] == condition["status"] else now

    return [{**condition, "lastTransitionTime": time_of(condition)} for condition in new]


def _condition(type_: str, true: object, reason: str, message: str, keep: bool = False) -> dict[str, Any]:
    """A condition; like a kubelet's it explains itself only when it is not true, unless `keep`."""
    condition: dict[str, Any] = {"type": type_, "status": "True" if true else "False"}
    if not true or keep:
        condition |= {"reason": reason, "message": message} if message else {"reason": reason}
    return condition
