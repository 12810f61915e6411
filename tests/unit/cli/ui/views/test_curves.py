"""Curves as ECharts draws them."""

import json
from typing import Any

from swiftlet.cli.ui.views.curves import FIGURES, MOST_POINTS, chart, figures_of

BIRD: list[dict[str, Any]] = [
    {"step": 1, "loss": "2.5"},
    {"step": 2, "loss": "nan", "evalLoss": "2.25"},
    {"step": 3, "loss": "1.5"},
]


def test_runs_lie_over_each_other_and_held_out_rows_are_dashed() -> None:
    drawn = chart({"bird": BIRD, "swift": [{"step": 1, "loss": "3"}]}, "loss")["series"]
    assert [(one["name"], one["data"]) for one in drawn] == [
        ("bird", [[1, 2.5], [2, None], [3, 1.5]]),
        ("bird, held out", [[2, 2.25]]),
        ("swift", [[1, 3.0]]),
    ]
    assert [one.get("lineStyle") for one in drawn] == [None, {"type": "dashed"}, None]
    assert [one["showSymbol"] for one in drawn] == [False, True, True], "one point alone makes no line"


def test_the_document_is_json_whatever_the_figures_are() -> None:
    steps = [{"step": step, "loss": figure} for step, figure in enumerate(("inf", "-inf", "NaN", "1e-9"))]
    json.dumps(chart({"<b>": steps}, "loss"), allow_nan=False)


def test_names_are_never_markup() -> None:
    assert chart({"<img>": BIRD}, "loss")["tooltip"]["renderMode"] == "richText", "ECharts' other mode is HTML"


def test_only_a_long_curve_is_thinned() -> None:
    steps = [{"step": step, "loss": "1"} for step in range(MOST_POINTS + 1)]
    drawn = chart({"long": steps, "short": BIRD}, "loss")["series"]
    assert [one["sampling"] for one in drawn] == ["lttb", None, None]


def test_figures_that_no_run_has_are_not_offered() -> None:
    assert figures_of({"bird": BIRD, "other": [{"step": 1, "kl": "0"}]}) == {
        "loss": FIGURES["loss"][0],
        "kl": FIGURES["kl"][0],
    }
    assert figures_of({"bird": []}) == {}
