from typing import Any

import pytest
from swiftlet.kinds.frame.progress_news import News, news

SHOWN = {"time": "1", "type": "progress", "step": 5, "totalSteps": 500, "percent": 1, "loss": "2.0"}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, News.NONE),
        ({"time": "2"}, News.NONE),
        ({"time": "2", "type": "checkpoint"}, News.NONE),
        ({"step": 6}, News.FIGURES),
        ({"loss": "1.9", "etaSeconds": 7}, News.FIGURES),
        ({"step": 10, "percent": 2}, News.PERCENT),
        ({"step": 500, "percent": 100}, News.TURN),
        ({"step": 2}, News.TURN),
        ({"message": "evaluating"}, News.TURN),
        ({"checkpointStep": 5}, News.TURN),
        ({"dataset": {"rows": 7}}, News.TURN),
        ({"step": 6, "engine": "vllm"}, News.TURN),
    ],
)
def test_what_a_report_says(change: dict[str, Any], found: News) -> None:
    assert news(SHOWN, SHOWN | change) is found


def test_the_first_figures() -> None:
    assert news({}, SHOWN) is News.TURN
    assert news({"message": "loading the model"}, {"message": "loading the model", "step": 1}) is News.TURN


def test_figures_that_end_a_phase() -> None:
    assert news(SHOWN | {"message": "evaluating"}, SHOWN) is News.TURN


def test_the_end_is_told_once() -> None:
    assert news(SHOWN | {"percent": 100}, SHOWN | {"percent": 100, "loss": "1.5"}) is News.FIGURES


def test_a_status_that_has_counts_only_by_default_has_no_figures_yet() -> None:
    assert news({"step": 0, "totalSteps": 0, "percent": 0}, SHOWN) is News.TURN


def test_a_new_operator_knows_less_than_the_status_says() -> None:
    """Its board begins anew: what nobody has repeated is no change."""
    assert news(SHOWN | {"checkpointStep": 4}, {"time": "9", "type": "progress", "step": 5}) is News.NONE
    assert news(SHOWN, {"time": "9", "type": "progress", "step": 6}) is News.FIGURES
