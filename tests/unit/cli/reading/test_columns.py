"""Rows of `get`."""

from datetime import UTC, datetime
from typing import Any

from swiftlet.cli.reading.columns import rows_of
from swiftlet.cli.reading.resourcekinds import kind_of

NOW = datetime(2026, 1, 31, 12, 5, 2, tzinfo=UTC)
JOB: dict[str, Any] = {
    "kind": "FineTuneJob",
    "metadata": {"name": "bird", "creationTimestamp": "2026-01-31T12:00:00Z"},
    "spec": {"model": {"uri": "hf://org/name"}},
    "status": {
        "conditions": [{"type": "Succeeded", "status": "Unknown", "reason": "Training"}],
        "progress": {"step": 3, "totalSteps": 10, "loss": "2.31"},
    },
}


def test_rows_hold_the_printer_columns() -> None:
    heads, rows = rows_of(kind_of("ftj"), [JOB], now=NOW)
    assert dict(zip(heads, rows[0], strict=True)) == {
        "Name": "bird",
        "Succeeded": "Unknown",
        "Reason": "Training",
        "Step": "3",
        "Total": "10",
        "Loss": "2.31",
        "Tokens/s": "<none>",
        "Age": "5m2s",
    }


def test_wide_rows_hold_more() -> None:
    heads, rows = rows_of(kind_of("ftj"), [JOB], wide=True, now=NOW)
    shown = dict(zip(heads, rows[0], strict=True))
    assert shown["Model"] == "hf://org/name"
    assert shown["Artifact"] == "<none>"


def test_lists_are_shown_as_the_api_server_shows_them() -> None:
    served = {"kind": "ModelDeployment", "metadata": {"name": "m"}, "status": {"servedNames": ["bird", "base"]}}
    heads, rows = rows_of(kind_of("mdep"), [served], wide=True, now=NOW)
    assert dict(zip(heads, rows[0], strict=True))["Models"] == '["bird","base"]'


def test_prefixed_names_tell_the_kind() -> None:
    assert rows_of(kind_of("ftj"), [JOB], prefixed=True, now=NOW)[1][0][0] == "finetunejob/bird"


def test_children_have_columns_of_their_own() -> None:
    job = {
        "kind": "Job",
        "metadata": {"name": "bird-train-0", "creationTimestamp": "2026-01-31T12:05:00Z"},
        "spec": {"completions": 2},
        "status": {"succeeded": 1, "conditions": [{"type": "FailureTarget", "status": "True"}]},
    }
    assert rows_of(kind_of("jobs"), [job], now=NOW)[1] == [["bird-train-0", "Running", "1/2", "2s"]]
    jobset = {**job, "kind": "JobSet", "status": {"conditions": [{"type": "Completed", "status": "True"}]}}
    assert rows_of(kind_of("jobset"), [jobset], now=NOW)[1] == [["bird-train-0", "Completed", "2s"]]
    job["status"]["conditions"].append({"type": "Failed", "status": "True"})  # type: ignore[index]
    assert rows_of(kind_of("jobs"), [job], now=NOW)[1][0][1] == "Failed"


def test_events_name_their_object() -> None:
    event = {
        "kind": "Event",
        "metadata": {"name": "x"},
        "lastTimestamp": "2026-01-31T12:05:00Z",
        "type": "Warning",
        "reason": "Failed",
        "involvedObject": {"kind": "FineTuneJob", "name": "bird"},
        "message": "out of memory",
    }
    heads, rows = rows_of(kind_of("events"), [event], now=NOW)
    assert heads == ["Last seen", "Type", "Reason", "Object", "Message"]
    assert rows == [["2s", "Warning", "Failed", "finetunejob/bird", "out of memory"]]
