import pytest
from swiftlet.api import FineTuneJobStatus
from swiftlet.api.base import Condition
from swiftlet.kinds.conditions.endings import is_over, seen

DONE = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("status", "completed", "has_jobs", "over"),
    [
        ("True", DONE, True, True),
        ("True", DONE, False, True),
        ("False", DONE, False, True),
        ("False", DONE, True, False),
        ("False", None, False, False),
        ("Unknown", None, True, False),
        (None, None, False, False),
    ],
)
def test_what_is_final(status: str | None, completed: str | None, has_jobs: bool, over: bool) -> None:
    conditions = [Condition(type="Succeeded", status=status, reason="A")] if status else []
    assert is_over(conditions, completed, has_jobs) is over


def test_a_new_generation_is_seen() -> None:
    status = FineTuneJobStatus(conditions=[Condition(type="Succeeded", status="True", reason="A")])
    found = seen(status, 7, suspend=False)
    assert found.observed_generation == found.conditions[0].observed_generation == 7
    assert status.observed_generation is None


@pytest.mark.parametrize(("suspend", "reason"), [(True, "Finished"), (False, "NotSuspended")])
def test_what_has_ended_cannot_be_suspended(suspend: bool, reason: str) -> None:
    before = Condition(type="Suspended", status="False", reason="NotSuspended", last_transition_time=DONE)
    found = seen(FineTuneJobStatus(conditions=[before]), 7, suspend).conditions[0]
    assert (found.status, found.reason, found.last_transition_time) == ("False", reason, DONE)
