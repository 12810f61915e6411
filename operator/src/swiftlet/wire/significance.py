"""What the change of a figure says: one rule for tables, pages and JSON."""

import math
from typing import Literal, NamedTuple

MIN_ROWS = 6
"""From fewer rows nothing follows: that all of n rows change to one side happens by chance in 2 / 2^n of cases, for
n = 5 in 6.3 % and for n = 6 in 3.1 %. Source: sign test; Conover 1999, "Practical Nonparametric Statistics"."""

Interval = tuple[float, float]
Verdict = Literal["clear", "within chance", "too few rows", "not a number"]


class Change(NamedTuple):
    """interval: of 95 %; None where the rows give none."""

    interval: Interval | None
    verdict: Verdict


def judged(rows: int, delta: float, low: float, high: float) -> Change:
    """What a change by `delta` on so many rows says. low, high: the quantiles of a bootstrap.

    Where no draw differs, all rows changed alike: the quantiles say nothing of how far chance reaches, and no interval
    is shown, but of MIN_ROWS or more rows such a change is clear.
    """
    if any(map(math.isnan, (delta, low, high))):
        return Change(None, "not a number")
    if rows < MIN_ROWS:
        return Change(None, "too few rows")
    interval = None if math.isclose(low, high, rel_tol=1e-9, abs_tol=1e-12) else (low, high)
    return Change(interval, "clear" if low > 0 or high < 0 else "within chance")
