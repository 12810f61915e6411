"""Figures from rows: values, standard errors, and the interval of a difference by paired bootstrap.

Every metric is a function of sums over rows. A mean is a ratio of two, with weight 1 on each row; the mean negative
log-likelihood per token has the row's tokens as its weight, and perplexity is exp of that ratio.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from swiftlet.wire.significance import MIN_ROWS, Interval

RESAMPLES = 10_000
CHUNK = 1_000
"""Resamples drawn at once: memory is CHUNK x rows x 8 bytes."""
STEP = 1e-4
"""By how much of a row's share its weight is changed to see what a figure makes of it."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One metric of one subject on n rows: a function of sums over them, which many times as many rows of the same
    kind would not change. parts: what is summed, (n, k), in the order of the rows. of: from sums, (..., k), to figures,
    (...)."""

    parts: Array
    of: Callable[[Array], Array]

    def __len__(self) -> int:
        return len(self.parts)


def mean_sample(values: Sequence[float]) -> Sample:
    """A metric that is the mean of one value per row."""
    return Sample(np.stack([np.asarray(values, dtype=np.float64), np.ones(len(values))], -1), _ratio)


def perplexity_sample(nll: Sequence[float], tokens: Sequence[int]) -> Sample:
    """Perplexity from each row's summed negative log-likelihood (nats) and its number of scored tokens."""
    parts = np.stack([np.asarray(nll, dtype=np.float64), np.asarray(tokens, dtype=np.float64)], -1)
    return Sample(parts, lambda sums: np.asarray(np.exp(_ratio(sums))))


def _ratio(sums: Array) -> Array:
    return np.asarray(sums[..., 0] / sums[..., 1])


def value(sample: Sample) -> float:
    """The figure over all rows. A model can be so bad that exp overflows; infinity says so and still compares."""
    return float(_figures(sample, sample.parts.sum(0)))


def standard_error(sample: Sample) -> float | None:
    """Standard error of `value` over rows; None with fewer than two rows, and of a figure that is not finite.

    sqrt(sum of u^2 / (n (n - 1))), where u is the derivative of the figure by the weight of a row, n times as much of
    which the figure is then made of. Of a mean that is the sample standard error, of a ratio Cochran's. Sources: Efron
    1982, "The Jackknife, the Bootstrap and Other Resampling Plans", chapter 6 (infinitesimal jackknife); Cochran 1977,
    "Sampling Techniques", eq. 6.13.
    """
    n, sums = len(sample), sample.parts.sum(0)
    if n < 2 or not math.isfinite(value(sample)):
        return None
    change = STEP * (sample.parts - sums / n)
    influence = (_figures(sample, sums + change) - _figures(sample, sums - change)) * n / (2 * STEP)
    return math.sqrt(float(influence @ influence) / (n * (n - 1)))


def paired_interval(target: Sample, baseline: Sample, seed: int, resamples: int = RESAMPLES) -> Interval:
    """The 2.5 % and 97.5 % quantiles of target minus baseline when the same rows are redrawn for both.

    Rows are drawn with replacement and the whole figure is computed anew from each draw's sums. Source: Efron &
    Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13 (percentile interval). The same seed gives the
    same interval. Both samples hold the same rows in the same order (ValueError otherwise). From fewer than MIN_ROWS
    rows nothing follows, and the interval is everything; it is NaN where a draw's difference is none (inf - inf).
    """
    n = len(target)
    if n != len(baseline):
        raise ValueError(f"paired samples have {n} and {len(baseline)} rows")
    if n < MIN_ROWS:
        return -math.inf, math.inf
    random = np.random.default_rng(seed)
    deltas = np.empty(resamples)
    for start in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - start)
        rows = random.integers(0, n, size=(size, n)) + n * np.arange(size)[:, None]
        drawn = np.bincount(rows.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)
        after, before = (_figures(one, drawn @ one.parts) for one in (target, baseline))
        with np.errstate(invalid="ignore"):
            deltas[start : start + size] = after - before
    # Between two infinities there is nothing to interpolate.
    low, high = np.quantile(deltas, [0.025, 0.975], method="linear" if np.isfinite(deltas).all() else "nearest")
    return float(low), float(high)


def _figures(sample: Sample, sums: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return sample.of(sums)
