"""Figures of classes, from which texts were given them and which have them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.statistics import Array, Sample, mean_sample


def class_samples(records: Sequence[Record]) -> Mapping[str, Sample]:
    """By the names of api.v1alpha1.suites.ClassificationMetric. predicted and expected of records: 1 or 0 for each
    class."""
    given = np.array([record.predicted for record in records])
    known = np.array([record.expected for record in records])
    parts = np.concatenate([given * known, given, known], -1)
    return {
        "accuracy": mean_sample([record.metrics["accuracy"] for record in records]),
        "f1_macro": Sample(parts, lambda sums: _macro(sums, _f1)),
        "f1_micro": Sample(parts, lambda sums: _f1(*(each.sum(-1) for each in np.split(sums, 3, -1)))),
        "precision_macro": Sample(parts, lambda sums: _macro(sums, lambda right, given, _: _share(right, given))),
        "recall_macro": Sample(parts, lambda sums: _macro(sums, lambda right, _, known: _share(right, known))),
    }


def _f1(right: Array, given: Array, known: Array) -> Array:
    """Source: van Rijsbergen 1979, "Information Retrieval", chapter 7, the harmonic mean of precision and recall."""
    return np.asarray(2 * right / (given + known))


def _share(right: Array, of: Array) -> Array:
    """0 of nothing, as scikit-learn has it."""
    return np.asarray(np.where(of > 0, right / of, 0.0))


def _macro(sums: Array, figure: Callable[[Array, Array, Array], Array]) -> Array:
    """The mean over classes that texts have or were given."""
    right, given, known = np.split(sums, 3, -1)
    counted = given + known > 0
    found = np.where(counted, figure(right, given, known), 0.0)
    return np.asarray(found.sum(-1) / counted.sum(-1))
