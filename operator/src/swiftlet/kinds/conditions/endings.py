"""Bounded work that has ended is not done again, whatever became of its children."""

from collections.abc import Sequence
from typing import TypeVar

from swiftlet.api.base import Condition
from swiftlet.api.v1alpha1.evalrun import EvalRunStatus
from swiftlet.api.v1alpha1.finetunejob_status import FineTuneJobStatus
from swiftlet.kinds.conditions.suspension import suspended_state

BoundedStatus = TypeVar("BoundedStatus", FineTuneJobStatus, EvalRunStatus)


def is_over(conditions: Sequence[Condition], completion_time: str | None, has_jobs: bool) -> bool:
    """Whether the stored status is final.

    A success stays one when its Jobs are cleaned up. A failure is looked at again while its Jobs are there, since a
    raised backoffLimit lets it go on. Work that was refused has no completion time and is always looked at again.
    """
    summary = next((condition for condition in conditions if condition.type == "Succeeded"), None)
    if summary is None or completion_time is None or summary.status == "Unknown":
        return False
    return summary.status == "True" or not has_jobs


def seen(status: BoundedStatus, generation: int | None, suspend: bool) -> BoundedStatus:
    """The status as it is, for the resource's current generation; `suspend` (its spec's) stops nothing any more."""
    state = suspended_state(suspend, ended=True, stopped=True, old=status.conditions)
    told = {"Suspended": {"status": state.status, "reason": state.reason, "message": state.message}}
    conditions = [
        condition.model_copy(update={"observed_generation": generation, **told.get(condition.type, {})})
        for condition in status.conditions
    ]
    return status.model_copy(update={"observed_generation": generation, "conditions": conditions})
