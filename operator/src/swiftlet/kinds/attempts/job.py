"""The Job of an attempt. It never retries by itself: the next attempt is another Job."""

from typing import Any

from swiftlet.kinds.attempts.bounded import Run
from swiftlet.kinds.attempts.history import HISTORY_ANNOTATION, History
from swiftlet.kinds.children.job import job_manifest
from swiftlet.kinds.frame.asked import asking
from swiftlet.kinds.owning.ownership import ATTEMPT_LABEL
from swiftlet.wire.messages import NEVER_RETRIED

Manifest = dict[str, Any]

FAILURE_POLICY = {
    "rules": [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": list(NEVER_RETRIED)}},
        {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]
}
"""One pod that is lost stops a synchronous gang, so a disruption ends the attempt as a whole and the next one starts,
from the checkpoint where there is one; the Job's condition then still says why when the evicted pod is long gone. There
is no rule for exit code 143: pods of a suspended Job end with it, and a rule would fail the Job."""


def attempt_job(
    run: Run, number: int, history: History, metadata: Manifest, size: Manifest, template: Manifest
) -> Manifest:
    """The Job of attempt `number`. size: its completions, parallelism and completion mode."""
    own = {
        **metadata,
        "labels": {**metadata["labels"], ATTEMPT_LABEL: str(number)},
        "annotations": {**metadata["annotations"], HISTORY_ANNOTATION: history.annotation()},
    }
    spec = {**size, "backoffLimit": 0, "podReplacementPolicy": "Failed", "podFailurePolicy": FAILURE_POLICY}
    return asking(job_manifest(own, spec, template), wish(run, history))


def wish(run: Run, history: History) -> dict[str, Any]:
    """What may be asked of a Job while it runs. The deadline is over all attempts."""
    limit = run.spec.active_deadline_seconds
    left = None if limit is None else max(1, limit - history.active_seconds)
    return {"suspend": run.spec.suspend, "activeDeadlineSeconds": left}
