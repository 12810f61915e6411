"""Metrics side by side, with an interval where rows have figures of their own."""

from typing import Any

from swiftlet.cli.reading.comparing import Rows, _compared


def rows(*right: float) -> Rows:
    return {("s", index): {"prompt": str(index), "metrics": {"accuracy": one}} for index, one in enumerate(right)}


def result(value: float) -> dict[str, Any]:
    return {"value": str(value), "n": 8}


def test_what_each_row_has_is_redrawn() -> None:
    found = _compared(("s", "accuracy"), result(0), result(1), rows(*[0.0] * 8), rows(*[1.0] * 8))
    assert (found.a, found.b, found.verdict) == (0, 1, "clear")


def test_what_all_rows_have_together_has_no_interval() -> None:
    found = _compared(("s", "f1_macro"), result(0.5), result(0.75), rows(*[0.0] * 8), rows(*[1.0] * 8))
    assert (found.a, found.b, found.n, found.interval) == (0.5, 0.75, 8, None)
    assert found.verdict == "no row has a figure of its own, so no interval"
