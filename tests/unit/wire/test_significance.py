"""What a change says, the same wherever it is shown."""

import math

import pytest
from swiftlet.wire.significance import MIN_ROWS, Change, judged

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("rows", "delta", "low", "high", "expected"),
    [
        (1, 1.0, 1.0, 1.0, Change(None, "too few rows")),
        (5, 1.0, 0.5, 1.0, Change(None, "too few rows")),
        (5, 1.0, -INF, INF, Change(None, "too few rows")),
        (6, 1.0, 0.5, 1.5, Change((0.5, 1.5), "clear")),
        (6, -1.0, -1.5, -0.5, Change((-1.5, -0.5), "clear")),
        (6, 0.1, -0.1, 0.3, Change((-0.1, 0.3), "within chance")),
        (6, 0.1, 0.0, 0.3, Change((0.0, 0.3), "within chance")),
        (50, 1.0, 1.0, 1.0, Change(None, "clear")),
        (50, 0.1, 0.09999999999999999, 0.1, Change(None, "clear")),
        (50, 0.0, 0.0, 0.0, Change(None, "within chance")),
        (50, INF, INF, INF, Change(None, "clear")),
        (50, INF, -1.0, INF, Change((-1.0, INF), "within chance")),
        (1, NAN, -INF, INF, Change(None, "not a number")),
        (50, NAN, 0.1, 0.2, Change(None, "not a number")),
        (50, 0.1, NAN, NAN, Change(None, "not a number")),
    ],
)
def test_verdict(rows: int, delta: float, low: float, high: float, expected: Change) -> None:
    assert judged(rows, delta, low, high) == expected


def test_the_bound_is_that_of_the_sign_test() -> None:
    assert 2 / 2**MIN_ROWS < 0.05 < 2 / 2 ** (MIN_ROWS - 1)
