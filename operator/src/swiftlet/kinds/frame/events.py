"""Events, derived from condition transitions so that each is told once."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

from swiftlet.api.base import Condition
from swiftlet.kinds.conditions.refusals import API_REFUSALS
from swiftlet.kinds.frame.outcome import Event


class EventReason(StrEnum):
    """Every reason that an Event of ours can have."""

    ACCEPTED = "Accepted"
    WAITING = "Waiting"
    REFUSED = "Refused"
    POD_CANNOT_START = "PodCannotStart"
    NODE_LOST = "NodeLost"
    STARTED = "Started"
    RESTARTING = "Restarting"
    CHECKPOINTED = "Checkpointed"
    COMPILED = "Compiled"
    TRACKER_FAILED = "TrackerFailed"
    COMPILE_FAILED = "CompileFailed"
    SUSPENDED = "Suspended"
    RESUMED = "Resumed"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    GATE_PASSED = "GatePassed"
    GATE_FAILED = "GateFailed"
    ROLLING_OUT = "RollingOut"
    READY = "Ready"
    NOT_READY = "NotReady"


EventType = Literal["Normal", "Warning"]

BY_REASON: dict[tuple[str, str], tuple[EventType, EventReason]] = {
    ("Running", "BackingOff"): ("Warning", EventReason.RESTARTING),
    ("Running", "NodeLost"): ("Warning", EventReason.NODE_LOST),
    ("Compiled", "CompileFailed"): ("Warning", EventReason.COMPILE_FAILED),
    ("Tracked", "TrackerFailed"): ("Warning", EventReason.TRACKER_FAILED),
    ("PodsReady", "Unschedulable"): ("Warning", EventReason.POD_CANNOT_START),
    ("PodsReady", "VolumePending"): ("Warning", EventReason.POD_CANNOT_START),
    ("PodsReady", "ErrImagePull"): ("Warning", EventReason.POD_CANNOT_START),
    ("PodsReady", "ImagePullBackOff"): ("Warning", EventReason.POD_CANNOT_START),
    ("PodsReady", "CreateContainerConfigError"): ("Warning", EventReason.POD_CANNOT_START),
    ("Suspended", "Resumed"): ("Normal", EventReason.RESUMED),
    ("Ready", "CrashLoopBackOff"): ("Warning", EventReason.NOT_READY),
    ("Ready", "NodeLost"): ("Warning", EventReason.NODE_LOST),
    ("Ready", "ServerFailed"): ("Warning", EventReason.NOT_READY),
    ("Ready", "Stopped"): ("Normal", EventReason.NOT_READY),
    ("Ready", "Unavailable"): ("Warning", EventReason.NOT_READY),
    **{("Accepted", reason): ("Warning", EventReason.REFUSED) for reason in API_REFUSALS},
    **{
        (type_, reason): ("Warning", EventReason.POD_CANNOT_START)
        for type_ in ("PodsReady", "Running", "Ready")
        for reason in API_REFUSALS
    },
}
"""Events of (condition type, reason)."""

BY_STATUS: dict[tuple[str, str], tuple[EventType, EventReason]] = {
    ("Accepted", "True"): ("Normal", EventReason.ACCEPTED),
    ("Accepted", "Unknown"): ("Normal", EventReason.WAITING),
    ("Accepted", "False"): ("Warning", EventReason.REFUSED),
    ("Running", "True"): ("Normal", EventReason.STARTED),
    ("Checkpointed", "True"): ("Normal", EventReason.CHECKPOINTED),
    ("Compiled", "True"): ("Normal", EventReason.COMPILED),
    ("Suspended", "True"): ("Normal", EventReason.SUSPENDED),
    ("Succeeded", "True"): ("Normal", EventReason.SUCCEEDED),
    ("Succeeded", "False"): ("Warning", EventReason.FAILED),
    ("GatePassed", "True"): ("Normal", EventReason.GATE_PASSED),
    ("GatePassed", "False"): ("Warning", EventReason.GATE_FAILED),
    ("GatesPassed", "True"): ("Normal", EventReason.GATE_PASSED),
    ("GatesPassed", "False"): ("Warning", EventReason.GATE_FAILED),
    ("Progressing", "True"): ("Normal", EventReason.ROLLING_OUT),
    ("Ready", "True"): ("Normal", EventReason.READY),
}
"""Events of (condition type, status), where the reason has none of its own."""


def events_of(old: Sequence[Condition], new: Sequence[Condition]) -> list[Event]:
    """Events of the conditions whose status or reason changed; a changed message alone is not news, nor is another
    reason of what stays suspended: a queue tells several while a run waits. That a document is accepted is news where
    it was not before: where it is accepted at once the condition says so, and an Event would be a write more for each.

    A refusal of the API server that several conditions tell of makes one Event.
    """
    before = {condition.type: (condition.status, condition.reason) for condition in old}
    found = []
    refusals: set[str] = set()
    for condition in new:
        if before.get(condition.type) == (condition.status, condition.reason) or condition.reason in refusals:
            continue
        if condition.type == "Suspended" and before.get("Suspended", ("", ""))[0] == condition.status == "True":
            continue
        if (condition.type, condition.status) == ("Accepted", "True") and condition.type not in before:
            continue
        event = BY_REASON.get((condition.type, condition.reason)) or BY_STATUS.get((condition.type, condition.status))
        if event:
            refusals |= {condition.reason} & API_REFUSALS.keys()
            found.append(Event(event[0], event[1].value, condition.message))
    return found
