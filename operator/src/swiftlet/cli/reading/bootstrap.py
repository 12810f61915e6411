"""Paired bootstrap over rows, in plain Python: is the difference between two runs more than luck of the draw?"""

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

from swiftlet.wire.significance import MIN_ROWS

RESAMPLES = 2000
SEED = 42


class Pair(NamedTuple):
    """One row as both runs scored it. A metric is a ratio of sums: sum of `value` over sum of `weight`."""

    a_value: float
    a_weight: float
    b_value: float
    b_weight: float


class Difference(NamedTuple):
    """Figures of a and b, b minus a, and the 2.5 % and 97.5 % quantiles of b minus a."""

    a: float
    b: float
    delta: float
    low: float
    high: float


def difference(pairs: Sequence[Pair], exponential: bool = False, seed: int = SEED) -> Difference:
    """Redraw rows with replacement, both runs' figures from the same draw; the same seed gives the same interval.

    exponential: the figure is exp of the ratio (perplexity). Source: Efron & Tibshirani 1993, "An Introduction to the
    Bootstrap", chapter 13 (percentile interval). From fewer than MIN_ROWS rows nothing follows, and the interval is
    everything; it is NaN where a draw's difference is none (inf - inf). Raises ValueError without rows.
    """
    if not pairs:
        raise ValueError("there are no rows to compare")
    generator = random.Random(seed)  # noqa: S311 - statistics, not secrets
    deltas = []
    for _ in range(RESAMPLES):
        a, b = _figures(generator.choices(pairs, k=len(pairs)), exponential)
        deltas.append(b - a)
    deltas.sort()
    a, b = _figures(pairs, exponential)
    if len(pairs) < MIN_ROWS:
        return Difference(a, b, b - a, -math.inf, math.inf)
    if any(math.isnan(delta) for delta in deltas):
        return Difference(a, b, b - a, math.nan, math.nan)
    return Difference(a, b, b - a, _quantile(deltas, 0.025), _quantile(deltas, 0.975))


def _figures(pairs: Sequence[Pair], exponential: bool) -> tuple[float, float]:
    a_value, a_weight, b_value, b_weight = (math.fsum(column) for column in zip(*pairs, strict=True))
    ratios = a_value / a_weight, b_value / b_weight
    return (_exp(ratios[0]), _exp(ratios[1])) if exponential else ratios


def _exp(power: float) -> float:
    try:
        return math.exp(power)
    except OverflowError:
        return math.inf


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between order statistics; none beside an infinite one."""
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    if not (math.isfinite(ordered[below]) and math.isfinite(ordered[above])):
        return ordered[round(position)]
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
