"""Figures from rows: values, standard errors, and the interval of a difference by paired bootstrap.

Every metric is a ratio of sums over rows. A mean has weight 1 on each row; the mean negative log-likelihood per token
has the row's tokens as its weight. Perplexity is exp of that ratio.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from swiftlet.wire.significance import MIN_ROWS, Interval

RESAMPLES = 10_000
CHUNK = 1_000
"""Resamples drawn at once: memory is CHUNK x rows x 8 bytes."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One metric of one subject on n rows. sums, weights: shape (n,), in the order of the rows."""

    sums: Array
    weights: Array
    exponential: bool = False
    """The figure is exp of the ratio (perplexity)."""


def mean_sample(values: Sequence[float]) -> Sample:
    """A metric that is the mean of one value per row."""
    return Sample(np.asarray(values, dtype=np.float64), np.ones(len(values)))


def perplexity_sample(nll: Sequence[float], tokens: Sequence[int]) -> Sample:
    """Perplexity from each row's summed negative log-likelihood (nats) and its number of scored tokens."""
    return Sample(np.asarray(nll, dtype=np.float64), np.asarray(tokens, dtype=np.float64), exponential=True)


def value(sample: Sample) -> float:
    """The figure over all rows."""
    return _figure(sample, float(sample.sums.sum() / sample.weights.sum()))


def standard_error(sample: Sample) -> float | None:
    """Standard error of `value` over rows; None with fewer than two rows, and of a figure that is not finite.

    A ratio's is sqrt(Σ (s - R w)² / (n (n - 1))) / mean(w), which with unit weights is the sample standard error of
    the mean; exp multiplies it by its own value (delta method). Source: Cochran 1977, "Sampling Techniques", eq. 6.13.
    """
    n = len(sample.sums)
    if n < 2:
        return None
    ratio = float(sample.sums.sum() / sample.weights.sum())
    if not math.isfinite(_figure(sample, ratio)):
        return None
    residuals = sample.sums - ratio * sample.weights
    error = math.sqrt(float(residuals @ residuals) / (n * (n - 1))) / float(sample.weights.mean())
    return error * math.exp(ratio) if sample.exponential else error


def paired_interval(target: Sample, baseline: Sample, seed: int, resamples: int = RESAMPLES) -> Interval:
    """The 2.5 % and 97.5 % quantiles of target minus baseline when the same rows are redrawn for both.

    Rows are drawn with replacement and the whole figure is computed anew from each draw's sums. Source: Efron &
    Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13 (percentile interval). The same seed gives the
    same interval. Both samples hold the same rows in the same order (ValueError otherwise). From fewer than MIN_ROWS
    rows nothing follows, and the interval is everything; it is NaN where a draw's difference is none (inf - inf).
    """
    n = len(target.sums)
    if n != len(baseline.sums):
        raise ValueError(f"paired samples have {n} and {len(baseline.sums)} rows")
    if n < MIN_ROWS:
        return -math.inf, math.inf
    random = np.random.default_rng(seed)
    deltas = np.empty(resamples)
    for start in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - start)
        rows = random.integers(0, n, size=(size, n))
        with np.errstate(over="ignore", invalid="ignore"):
            deltas[start : start + size] = _resampled(target, rows) - _resampled(baseline, rows)
    # Between two infinities there is nothing to interpolate.
    low, high = np.quantile(deltas, [0.025, 0.975], method="linear" if np.isfinite(deltas).all() else "nearest")
    return float(low), float(high)


def _resampled(sample: Sample, rows: NDArray[np.int64]) -> Array:
    ratio: Array = sample.sums[rows].sum(axis=1) / sample.weights[rows].sum(axis=1)
    return np.asarray(np.exp(ratio)) if sample.exponential else ratio


def _figure(sample: Sample, ratio: float) -> float:
    # A model can be so bad that exp overflows; infinity says so and still compares.
    try:
        return math.exp(ratio) if sample.exponential else ratio
    except OverflowError:
        return math.inf
