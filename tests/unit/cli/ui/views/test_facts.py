"""What is known of a run."""

from datetime import UTC, datetime, timedelta
from typing import Any

from swiftlet.cli.ui.views import facts

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
AHEAD = (NOW + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _job(**status: Any) -> dict[str, Any]:
    spec = {"datasets": [{"uri": "configmap://d/rows", "format": "auto", "weight": 2.0}]}
    return {"kind": "FineTuneJob", "metadata": {"name": "bird", "creationTimestamp": AHEAD}, "spec": spec} | (
        {"status": status} if status else {}
    )


def test_what_was_left_out_is_counted_by_reason() -> None:
    counts = {"read": 9, "used": 7, "evalRows": 0, "dropped": {"too long": 1, "empty answer": 1}}
    sources, rows, dropped = facts.data(_job(dataset=counts))
    assert sources.rows == [["configmap://d/rows", "auto", "2.0"]]
    assert rows.rows == [["read", "9"], ["used", "7"], ["eval rows", "0"]]
    assert dropped.rows == [["too long", "1"], ["empty answer", "1"]]


def test_that_nothing_was_left_out_is_said_once_it_is_known() -> None:
    assert facts.data(_job(dataset={"read": 9, "dropped": {}}))[2].empty == "no row was left out"
    assert facts.data(_job())[2].empty == "the rows have not been read yet"


def test_a_clock_that_is_ahead_makes_no_negative_age() -> None:
    assert facts.reading_time([_job()], NOW) == NOW + timedelta(minutes=5)
    event = {"lastTimestamp": AHEAD, "type": "Normal", "reason": "Started", "message": "begun", "count": 3}
    row = facts.events([{**event, "involvedObject": {"kind": "Pod", "name": "p"}}], NOW).rows[0]
    assert list(row) == ["0s", "Normal", "Started", "pod/p", "begun (x3)"]
    condition = {"type": "Running", "status": "True", "lastTransitionTime": AHEAD}
    assert facts.conditions(_job(conditions=[condition]), NOW).rows == [["Running", "True", "", "0s", ""]]


def test_the_plan_is_what_the_status_says() -> None:
    accepted = {"type": "Accepted", "status": "True", "message": "1 process"}
    job = _job(conditions=[accepted], plan={"perDeviceBatchSize": 8})
    assert facts.plan(job).rows == [["in short", "1 process"], ["per device batch size", "8"]]
    assert facts.plan(_job()).rows == []


def test_progress_is_of_steps() -> None:
    assert facts.progress(_job(progress={"step": 3, "totalSteps": 4, "loss": "0.123456"})) == (
        0.75,
        "step 3 of 4, loss 0.1235",
    )
    assert facts.progress(_job(progress="loading")) is None
    assert facts.progress(_job()) is None
