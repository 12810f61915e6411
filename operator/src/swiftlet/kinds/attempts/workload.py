"""The workload of an attempt, whatever backend makes it."""

from collections.abc import Sequence
from typing import Any

from swiftlet.kinds.attempts.backends.backend import Backend
from swiftlet.kinds.attempts.bounded import Run
from swiftlet.kinds.attempts.history import HISTORY_ANNOTATION, History
from swiftlet.kinds.attempts.role import Manifest, Role
from swiftlet.kinds.owning.ownership import ATTEMPT_LABEL


def attempt_workload(
    run: Run, number: int, history: History, metadata: Manifest, roles: Sequence[Role], backend: Backend
) -> Manifest:
    """The workload of attempt `number`."""
    own = {
        **metadata,
        "labels": {**metadata["labels"], ATTEMPT_LABEL: str(number)},
        "annotations": {**metadata["annotations"], HISTORY_ANNOTATION: history.annotation()},
    }
    return backend.render(own, roles, wish(run, history))


def wish(run: Run, history: History) -> dict[str, Any]:
    """What may be asked of a workload while it runs. The deadline is over all attempts."""
    limit = run.spec.active_deadline_seconds
    left = None if limit is None else max(1, limit - history.active_seconds)
    return {"suspend": run.spec.suspend, "activeDeadlineSeconds": left}
