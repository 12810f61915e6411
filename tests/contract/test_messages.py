"""What pods say, across one release: termination messages and progress, read by the other side's release."""

import json
from typing import Any

import pytest
from pydantic import ValidationError
from swiftlet.kinds.frame.progress import merge
from swiftlet.kinds.observing.failures import termination_message, unreadable
from swiftlet.observability.progress_payload import report_of
from swiftlet.wire.messages import ProgressEvent, TerminationMessage
from swiftlet_0_1_0 import merging
from swiftlet_0_1_0 import progress_payload as earlier_payload
from swiftlet_0_1_0.api import pod as earlier
from swiftlet_trainer.failures import encoded
from swiftlet_trainer.progress_post import document

NOW = "2026-01-01T12:00:00Z"
MESSAGES: dict[str, dict[str, Any]] = {
    "trained": {
        "artifact": {"uri": "pvc://a/b", "digest": "sha256:a", "type": "adapter", "finalLoss": "0.5", "steps": 3},
        "dataset": {"read": 3, "used": 2, "dropped": {"too long": 1}},
        "progress": {"step": 3, "totalSteps": 3, "percent": 100, "loss": "0.5"},
    },
    "evaluated": {
        "results": [{"suite": "s", "metric": "contains", "value": "0.9", "n": 10}],
        "comparison": [
            {"suite": "s", "metric": "contains", "target": "0.9", "baseline": "0.1", "delta": "0.8"}
            | {"ciLow": "0.7", "ciHigh": "0.9"}
        ],
        "report": {"uri": "pvc://a/report.html", "digest": "sha256:r"},
    },
    "failed": {"failure": {"reason": "Error", "message": "no", "rank": 1, "exitCode": 1, "traceback": "File ..."}},
}
EVENTS: list[dict[str, Any]] = [
    {"time": NOW, "type": "phase", "message": "loading"},
    {"time": NOW, "type": "dataset", "dataset": {"read": 9, "used": 7, "dropped": {"too long": 2}}},
    {"time": NOW, "step": 3, "totalSteps": 9, "percent": 33, "loss": "0.5", "etaSeconds": 4},
    {"time": NOW, "type": "checkpoint", "step": 3},
    {"time": NOW, "type": "compile", "compilation": {"reason": "Compiled", "message": "in 3 s"}},
    {"time": NOW, "type": "serving", "engine": "vllm", "reason": "Asked", "message": "as asked"},
]


@pytest.mark.parametrize("said", MESSAGES.values(), ids=MESSAGES)
def test_the_last_operator_reads_what_this_trainer_leaves(said: dict[str, Any]) -> None:
    text = encoded(TerminationMessage.model_validate(said)).decode()
    assert earlier.TerminationMessage.model_validate_json(text) == earlier.TerminationMessage.model_validate(said)


@pytest.mark.parametrize("said", MESSAGES.values(), ids=MESSAGES)
def test_this_operator_reads_what_the_last_trainer_left(said: dict[str, Any]) -> None:
    text = earlier.TerminationMessage.model_validate(said).model_dump_json(by_alias=True, exclude_none=True)
    assert termination_message(text) == TerminationMessage.model_validate(said)


@pytest.mark.parametrize("said", MESSAGES.values(), ids=MESSAGES)
def test_this_operator_reads_what_the_next_trainer_leaves(said: dict[str, Any]) -> None:
    later = json.dumps({**_with_news(said), "schemaVersion": "1.9"})
    expected = TerminationMessage.model_validate(said).model_copy(update={"schema_version": "1.9"})
    assert termination_message(later) == expected and unreadable(later) is None
    with pytest.raises(ValidationError):
        earlier.TerminationMessage.model_validate_json(later)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"schemaVersion": "2.0", "outcome": {}}, "schemaVersion: 2.0 is of a later release than this operator"),
        ({"schemaVersion": 2, "results": []}, "schemaVersion: '2' is not major.minor"),
        (
            {"results": [{"suite": "s", "metric": "m", "subject": "judge", "value": "1", "n": 1}]},
            "results[0].subject: Input should be 'target' or 'baseline', got 'judge'",
        ),
        ({"progress": {"step": "last"}}, "progress.step: Input should be a valid integer"),
    ],
)
def test_what_cannot_be_understood_is_told_with_the_remedy(said: dict[str, Any], words: str) -> None:
    text = json.dumps(said)
    found = unreadable(text)
    assert termination_message(text) is None
    assert found is not None and words in found and "upgrade the operator" in found


@pytest.mark.parametrize("text", ["", "Killed", "{", "[1]", "3", '{"level": "error"}', "[" * 4000, "\x00", "NaN"])
def test_texts_of_others_are_no_messages(text: str) -> None:
    assert termination_message(text) is None and unreadable(text) is None


def test_the_last_operator_takes_what_this_trainer_posts() -> None:
    posted = [document(ProgressEvent.model_validate(event)) for event in EVENTS]
    assert earlier_payload.events_of(json.dumps(posted).encode(), NOW) == EVENTS
    assert merging.merge(posted) == merge(posted)


def test_this_operator_takes_what_the_last_trainer_posts() -> None:
    posted = [
        earlier.ProgressEvent.model_validate(event).model_dump(mode="json", by_alias=True, exclude_unset=True)
        for event in EVENTS
    ]
    assert report_of(json.dumps(posted).encode(), NOW) == (EVENTS, [])


def test_this_operator_takes_what_the_next_trainer_posts() -> None:
    later = [*map(_with_news, EVENTS), {"time": NOW, "type": "topology", "racks": 3}]
    report = report_of(json.dumps(later).encode(), NOW)
    assert report.events == EVENTS
    assert "[1].dataset.news: unknown" in report.left_out and "[6].type: 'topology' is unknown" in report.left_out


def _with_news(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_news(item) for item in part]
    if not isinstance(part, dict) or "too long" in part:
        return part
    return {**{name: _with_news(value) for name, value in part.items()}, "news": {"deep": [1]}}
