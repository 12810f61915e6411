"""How far figures are from those that they should be, and whether they go up and down with them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.statistics import Array, Sample, mean_sample


def figure_samples(records: Sequence[Record]) -> Mapping[str, Sample]:
    """By the names of api.v1alpha1.suites.RegressionMetric. predicted and expected of records: a number for each
    figure."""
    given, known = (np.array([getattr(one, name) for one in records]) for name in ("predicted", "expected"))
    return {
        **{name: mean_sample([one.metrics[name] for one in records]) for name in ("mse", "mae")},
        "pearson": _correlation(given, known),
        "spearman": _correlation(_ranks(given), _ranks(known)),
    }


def errors(given: Sequence[float], known: Sequence[float]) -> dict[str, float]:
    """Of one text: mse and mae, means over its figures."""
    apart = np.asarray(given, dtype=np.float64) - np.asarray(known, dtype=np.float64)
    return {"mse": float(np.square(apart).mean()), "mae": float(np.abs(apart).mean())}


def _correlation(x: Array, y: Array) -> Sample:
    """Pearson's coefficient, the mean over figures; x, y: (n, figures). NaN where all texts have the same. Source:
    Pearson 1895, "Note on Regression and Inheritance in the Case of Two Parents"."""
    x, y = _centred(x), _centred(y)
    parts = np.concatenate([np.ones((len(x), 1)), x, y, x * x, y * y, x * y], -1)

    def of(sums: Array) -> Array:
        n, (x, y, xx, yy, xy) = sums[..., :1], np.split(sums[..., 1:], 5, -1)
        found = (xy - x * y / n) / np.sqrt((xx - x * x / n) * (yy - y * y / n))
        return np.asarray(found.mean(-1))

    return Sample(parts, of)


def _centred(values: Array) -> Array:
    """Around their mean, so that little is lost in squares; all 0 where they are all the same."""
    return np.asarray(np.where(np.ptp(values, 0) > 0, values - values.mean(0), 0.0))


def _ranks(values: Array) -> Array:
    """Of each column, from 1, the same values sharing the mean of theirs: among all rows, also where some are redrawn.
    Source: Spearman 1904, "The Proof and Measurement of Association between Two Things"."""
    return np.stack([_ranked(column) for column in values.T], -1)


def _ranked(values: NDArray[np.float64]) -> Array:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])
