"""Errors and correlations of figures."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.regression_figures import errors, figure_samples
from swiftlet_trainer.evaluate.statistics import paired_interval, standard_error, value


def records(known: Sequence[Sequence[float]], given: Sequence[Sequence[float]]) -> list[Record]:
    return [
        Record("s", "target", index, "p", metrics=errors(one, other), predicted=[*one], expected=[*other])
        for index, (one, other) in enumerate(zip(given, known, strict=True))
    ]


def figures(known: Sequence[Sequence[float]], given: Sequence[Sequence[float]]) -> dict[str, float]:
    return {name: value(one) for name, one in figure_samples(records(known, given)).items()}


def test_errors_are_means_over_texts_and_figures() -> None:
    found = figures([[1, 0], [3, 0]], [[2, 0], [3, 2]])
    assert (found["mse"], found["mae"]) == (5 / 4, 3 / 4)


def test_correlations_are_those_of_numpy_and_of_ranks() -> None:
    random = np.random.default_rng(0)
    known = random.normal(1000, 1, (40, 2))
    given = known + random.normal(0, 1, (40, 2))
    expected = [np.corrcoef(known[:, figure], given[:, figure])[0, 1] for figure in range(2)]
    assert figures(known.tolist(), given.tolist())["pearson"] == pytest.approx(np.mean(expected))
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: what is the same shares the mean of its ranks.
    assert figures([[1], [2], [2], [9]], [[0], [1], [5], [6]])["spearman"] == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert figures([[1], [2], [3]], [[1], [8], [27]])["spearman"] == pytest.approx(1)
    assert figures([[1], [2], [3]], [[3], [2], [1]])["spearman"] == pytest.approx(-1)


def test_nothing_goes_up_and_down_with_a_constant() -> None:
    found = figures([[1], [2], [3]], [[0.1], [0.1], [0.1]])
    assert math.isnan(found["pearson"])
    assert math.isnan(found["spearman"])
    assert standard_error(figure_samples(records([[1], [2]], [[1], [1]]))["pearson"]) is None


def test_standard_errors_agree_with_a_simulation() -> None:
    random, samples = np.random.default_rng(1), []
    for _ in range(300):
        known = random.normal(size=(80, 1))
        samples.append(figure_samples(records(known.tolist(), (known + random.normal(size=(80, 1))).tolist())))
    for name in ("pearson", "mse"):
        told = np.mean([standard_error(one[name]) or 0 for one in samples])
        assert told == pytest.approx(np.std([value(one[name]) for one in samples]), rel=0.2)
    assert paired_interval(samples[0]["pearson"], samples[0]["pearson"], seed=1) == (0, 0)
