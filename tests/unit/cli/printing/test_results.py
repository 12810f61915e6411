"""The tables that a run ends with."""

from typing import Any

import pytest
from swiftlet.cli.printing.results import evaluation


def _run(rows: int, **change: str) -> dict[str, Any]:
    one = {"suite": "who", "metric": "contains", "n": rows}
    results = [{**one, "subject": "target", "value": "1"}, {**one, "subject": "baseline", "value": "0"}]
    comparison = [{"suite": "who", "metric": "contains", "target": "1", "baseline": "0", **change}]
    return {"metadata": {"name": "bird"}, "status": {"results": results, "comparison": comparison}}


@pytest.mark.parametrize(
    ("rows", "change", "cells"),
    [
        (1, {"delta": "1", "ciLow": "1", "ciHigh": "1"}, ["+1", "-", "too few rows", "1"]),
        (5, {"delta": "1", "ciLow": "-inf", "ciHigh": "inf"}, ["+1", "-", "too few rows", "5"]),
        (9, {"delta": "1", "ciLow": "0.5", "ciHigh": "1"}, ["+1", "[+0.5, +1]", "clear", "9"]),
        (9, {"delta": "nan", "ciLow": "nan", "ciHigh": "nan"}, ["+nan", "-", "not a number", "9"]),
    ],
)
def test_a_change_is_shown_with_what_it_says(rows: int, change: dict[str, str], cells: list[str]) -> None:
    row = evaluation(_run(rows, **change)).splitlines()[2]
    assert [cell.strip() for cell in row.split("   ") if cell.strip()] == ["who", "contains", "0", "1", *cells]


def test_without_a_baseline_nothing_is_said_of_a_change() -> None:
    run = _run(9, delta="1", ciLow="0.5", ciHigh="1")
    run["status"] |= {"results": run["status"]["results"][:1], "comparison": []}
    assert evaluation(run).splitlines()[2].split() == ["who", "contains", "1", "9"]
