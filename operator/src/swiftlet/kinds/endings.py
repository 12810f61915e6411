"""Bounded work that has ended is not done again, whatever became of its children."""

from collections.abc import Sequence
from typing import TypeVar

from swiftlet.api.base import Condition
from swiftlet.api.evalrun import EvalRunStatus
from swiftlet.api.finetunejob import FineTuneJobStatus

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


def seen(status: BoundedStatus, generation: int | None) -> BoundedStatus:
    """The status as it is, for the resource's current generation."""
    conditions = [condition.model_copy(update={"observed_generation": generation}) for condition in status.conditions]
    return status.model_copy(update={"observed_generation": generation, "conditions": conditions})
