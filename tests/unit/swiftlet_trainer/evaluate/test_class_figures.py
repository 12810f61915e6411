"""Figures of classes, as scikit-learn has them, and how sure they are."""

from collections.abc import Sequence

import numpy as np
import pytest
from swiftlet_trainer.evaluate.class_figures import class_samples
from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.statistics import paired_interval, standard_error, value


def records(known: Sequence[Sequence[float]], given: Sequence[Sequence[float]]) -> list[Record]:
    return [
        Record(
            "s", "target", index, "p", metrics={"accuracy": float(one == other)}, predicted=[*one], expected=[*other]
        )
        for index, (one, other) in enumerate(zip(given, known, strict=True))
    ]


def figures(known: Sequence[Sequence[float]], given: Sequence[Sequence[float]]) -> dict[str, float]:
    return {name: value(one) for name, one in class_samples(records(known, given)).items()}


def one_of(numbers: Sequence[int], classes: int = 4) -> list[list[float]]:
    return [[float(index == number) for index in range(classes)] for number in numbers]


def test_one_class_each() -> None:
    """Of the first class 2 of 3 are found, and 1 of 2 that were said to be of the second is; others are nowhere, and do
    not count."""
    assert figures(one_of([0, 0, 0, 1]), one_of([0, 0, 1, 1])) == pytest.approx(
        {
            "accuracy": 3 / 4,
            "precision_macro": (1 + 1 / 2) / 2,
            "recall_macro": (2 / 3 + 1) / 2,
            "f1_macro": (4 / 5 + 2 / 3) / 2,
            "f1_micro": 3 / 4,
        }
    )


def test_a_class_that_is_only_said_or_only_had_counts_as_nothing() -> None:
    assert figures(one_of([0, 1]), one_of([0, 2])) == pytest.approx(
        {"accuracy": 0.5, "precision_macro": 1 / 3, "recall_macro": 1 / 3, "f1_macro": 1 / 3, "f1_micro": 0.5}
    )


def test_several_classes_each() -> None:
    assert figures([[1, 1, 0], [0, 1, 0], [0, 0, 0]], [[1, 0, 0], [0, 1, 1], [0, 0, 0]]) == pytest.approx(
        {
            "accuracy": 1 / 3,  # the text without a class is right
            "precision_macro": (1 + 1 + 0) / 3,
            "recall_macro": (1 + 1 / 2 + 0) / 3,
            "f1_macro": (1 + 2 / 3 + 0) / 3,
            "f1_micro": 2 * 2 / (3 + 3),
        }
    )


def drawn(random: np.random.Generator, right: float) -> list[Record]:
    known = random.integers(0, 3, 120)
    given = np.where(random.random(120) < right, known, random.integers(0, 3, 120))
    return records(one_of(known.tolist(), 3), one_of(given.tolist(), 3))


def test_standard_errors_agree_with_a_simulation() -> None:
    random = np.random.default_rng(0)
    samples = [class_samples(drawn(random, 0.6))["f1_macro"] for _ in range(300)]
    told = np.mean([standard_error(one) or 0 for one in samples])
    assert told == pytest.approx(np.std([value(one) for one in samples]), rel=0.15)


def test_a_better_classifier_is_told_from_a_worse_one() -> None:
    random = np.random.default_rng(1)
    good, poor = (class_samples(drawn(random, right))["f1_macro"] for right in (0.95, 0.3))
    low, high = paired_interval(good, poor, seed=1)
    assert 0.2 < low < value(good) - value(poor) < high < 0.8
