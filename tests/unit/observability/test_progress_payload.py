import json
from typing import Any

import pytest
from swiftlet.api.v1alpha1.progress import Progress
from swiftlet.observability.progress import ProgressBoard
from swiftlet.observability.progress_payload import MalformedReportError, report_of

NOW = "2026-01-01T12:00:00Z"


def parsed(body: Any) -> list[dict[str, Any]]:
    return report_of(body if isinstance(body, bytes) else json.dumps(body).encode(), NOW).events


def test_our_events_say_what_was_said_and_no_default() -> None:
    events = [
        {"time": NOW, "type": "phase", "message": "loading the model"},
        {"time": NOW, "step": 3, "totalSteps": 9, "loss": "0.5"},
        {"time": NOW, "type": "dataset", "dataset": {"read": 9, "used": 7, "dropped": {"too long": 2}}},
    ]
    assert parsed(events) == events


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 50000, "not JSON"),
        (b'[{"time": "2026-01-01T12:00:00Z", "step": NaN}]', "NaN is no JSON number"),
        ({}, "JSON array of progress events"),
        ({"trainerStatus": 3}, "JSON array of progress events"),
        ("text", "JSON array of progress events"),
        ([3], r"\[0\]: Input should be"),
        ([{"step": 1}], r"\[0\].time: Field required"),
        ([{"time": "yesterday"}], r"\[0\].time: 'yesterday' is not RFC 3339"),
        ([{"time": NOW, "step": "many"}], r"\[0\].step: Input should be a valid integer"),
        ([{"time": NOW, "step": -1}], r"\[0\].step: must be from 0"),
        ([{"time": NOW, "step": 2**60}], r"\[0\].step: must be from 0"),
        ([{"time": NOW, "message": "x" * 2000}], r"\[0\].message: longer than 1024"),
        ([{"time": NOW, "type": ["phase"]}], r"\[0\].type: Input should be"),
        ([{"time": NOW, "type": "checkpoint"}], r"\[0\].step: a checkpoint has a step"),
        (
            [{"time": NOW, "type": "dataset", "dataset": {"dropped": {str(i): 1 for i in range(100)}}}],
            r"\[0\].dataset.dropped: more than 64",
        ),
        ([{"time": NOW}] * 101, "101 events: at most 100"),
        ({"trainerStatus": {"progressPercentage": "half"}}, "progressPercentage: 'half' is not a number"),
        ({"trainerStatus": {"progressPercentage": -1}}, "progressPercentage: -1 must be from 0"),
        ({"trainerStatus": {"estimatedRemainingSeconds": 10**400}}, "estimatedRemainingSeconds"),
        ({"trainerStatus": {"metrics": {"loss": 1}}}, "metrics: must be an array"),
        ({"trainerStatus": {"metrics": [{"name": "loss"}]}}, r"metrics\[0\]: must be an object"),
        ({"trainerStatus": {"metrics": [{"name": "loss", "value": "low"}]}}, r"metrics\[0\].value: 'low'"),
    ],
)
def test_malformed_bodies_are_told_apart(body: Any, words: str) -> None:
    with pytest.raises(MalformedReportError, match=words):
        parsed(body)


@pytest.mark.parametrize(
    ("event", "left_out"),
    [
        ({"time": NOW, "losss": "1"}, "[1].losss: unknown"),
        ({"time": NOW, "type": "dataset", "dataset": {"read": 2, "seen": 1}}, "[1].dataset.seen: unknown"),
        ({"time": NOW, "type": "dance"}, "[1].type: 'dance' is unknown"),
        ({"time": NOW, "step": -1}, "[1].step: must be from 0"),
        ({"time": "yesterday"}, "[1].time: 'yesterday' is not RFC 3339"),
        ({"time": NOW, "compilation": {"reason": "Skipped", "message": ""}}, "[1].compilation.reason: Input should be"),
        (
            {"time": NOW, "compilation": {"reason": "Compiled", "message": "x" * 2000}},
            "[1].compilation.message: longer",
        ),
        (3, "[1]: Input should be"),
    ],
)
def test_one_event_that_is_wrong_or_of_a_later_release_takes_no_other_along(event: Any, left_out: str) -> None:
    counts = {"time": NOW, "type": "dataset", "dataset": {"read": 9, "used": 7}}
    phase = {"time": NOW, "type": "phase", "message": "training"}
    report = report_of(json.dumps([counts, event, phase]).encode(), NOW)
    assert report.events[0] == counts and report.events[-1] == phase
    assert len(report.left_out) == 1 and report.left_out[0].startswith(left_out)


def test_all_problems_at_once() -> None:
    with pytest.raises(MalformedReportError) as caught:
        parsed([{"time": NOW, "step": -1}, {"time": "no", "step": "x"}])
    assert "[0].step" in str(caught.value) and "[1].step" in str(caught.value)


def test_what_transformers_sends_becomes_figures() -> None:
    metrics = {"loss": "0.48512", "learning_rate": "9.7e-05", "current_step": "12", "total_steps": "40"}
    metrics |= {
        "mean_token_accuracy": "0.91",
        "entropy": "0.3",
        "current_epoch": "0.9",
        "grad_norm": "1.5",
        "train_tokens_per_second": "812.34",
    }
    status = {
        "lastUpdatedTime": "2026-01-01T12:00:00+00:00",
        "progressPercentage": 30,
        "estimatedRemainingSeconds": 77,
        "metrics": [{"name": name, "value": value} for name, value in metrics.items()],
    }
    board = ProgressBoard()
    board.report("a", parsed({"trainerStatus": status}))
    merged = board.of("a")
    assert merged == {
        "time": NOW,
        "type": "progress",
        "percent": 30,
        "etaSeconds": 77,
        "loss": "0.4851",
        "learningRate": "9.7e-05",
        "gradNorm": "1.5",
        "entropy": "0.3000",
        "meanTokenAccuracy": "0.9100",
        "step": 12,
        "totalSteps": 40,
        "epoch": "0.90",
        "tokensPerSecond": "812.3",
    }
    assert Progress.model_validate({k: v for k, v in merged.items() if k not in ("time", "type")}).step == 12


def test_fields_of_a_newer_callback_are_its_own_business() -> None:
    assert parsed({"trainerStatus": {"progressPercentage": 5, "phase": "x"}, "more": 1}) == [
        {"time": NOW, "type": "progress", "percent": 5}
    ]
