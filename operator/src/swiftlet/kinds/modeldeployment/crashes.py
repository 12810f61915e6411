"""Servers that died: what the engine said last."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from swiftlet.api.v1alpha1.finetunejob_status import Failure
from swiftlet.kinds.observing.disruptions import is_disrupted
from swiftlet.kinds.observing.failures import failure_of
from swiftlet.kinds.observing.observed import container_statuses


@dataclass(frozen=True)
class Crash:
    """The last death of a container that is restarted for ever. `restarts`: of that container so far."""

    failure: Failure
    finished_at: str
    restarts: int


def last_crash(pods: Iterable[dict[str, Any]]) -> Crash | None:
    """The newest crash of any pod, or None when none has crashed."""
    return max((crash for pod in pods for crash in _crashes(pod)), key=lambda crash: crash.finished_at, default=None)


def _crashes(pod: dict[str, Any]) -> list[Crash]:
    if pod["metadata"].get("deletionTimestamp") or is_disrupted(pod):
        return []  # it was told to stop; how it ended is no failure
    found = []
    for status in container_statuses(pod):
        for state in (status.get("state") or {}, status.get("lastState") or {}):
            ended = state.get("terminated")
            if ended and ended["exitCode"] != 0:
                failure = failure_of(ended, status["name"], pod)
                found.append(Crash(failure, ended.get("finishedAt") or "", status.get("restartCount") or 0))
    return found
