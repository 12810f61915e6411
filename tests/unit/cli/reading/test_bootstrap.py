"""The paired bootstrap."""

import math
import random

import pytest
from swiftlet.cli.reading.bootstrap import Pair, difference


def test_a_clear_rise_excludes_zero() -> None:
    found = difference([Pair(0, 1, 1, 1)] * 18 + [Pair(0, 1, 0, 1)] * 2)
    assert (found.a, found.b, found.delta) == (0.0, 0.9, 0.9)
    assert 0 < found.low <= 0.9 <= found.high <= 1


def test_equal_runs_differ_by_nothing() -> None:
    found = difference([Pair(float(i % 2), 1, float(i % 2), 1) for i in range(10)])
    assert (found.delta, found.low, found.high) == (0, 0, 0)


def test_noise_includes_zero() -> None:
    generator = random.Random(7)
    pairs = [Pair(generator.random(), 1, generator.random(), 1) for _ in range(50)]
    found = difference(pairs)
    assert found.low < 0 < found.high


def test_the_interval_is_that_of_the_normal_approximation_on_many_rows() -> None:
    generator = random.Random(3)
    pairs = [Pair(generator.gauss(0, 1), 1, generator.gauss(0.5, 1), 1) for _ in range(400)]
    deltas = [pair.b_value - pair.a_value for pair in pairs]
    mean = sum(deltas) / 400
    error = math.sqrt(sum((delta - mean) ** 2 for delta in deltas) / 399 / 400)
    found = difference(pairs)
    assert found.low == pytest.approx(mean - 1.96 * error, abs=0.02)
    assert found.high == pytest.approx(mean + 1.96 * error, abs=0.02)


def test_the_same_seed_gives_the_same_interval() -> None:
    pairs = [Pair(float(i % 3), 1, float(i % 2), 1) for i in range(12)]
    assert difference(pairs) == difference(pairs)
    assert difference(pairs, seed=1) != difference(pairs, seed=2)


def test_perplexity_weighs_rows_by_their_tokens() -> None:
    pairs = [Pair(20.0, 10, 10.0, 10), Pair(3.0, 30, 30.0, 30)]
    found = difference(pairs, exponential=True)
    assert found.a == pytest.approx(math.exp(23 / 40))
    assert found.b == pytest.approx(math.exp(40 / 40))


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="no rows"):
        difference([])


def test_infinite_perplexities_are_compared() -> None:
    finite, infinite = (1.0, 1.0), (1e6, 1.0)
    found = difference([Pair(*infinite, *finite)] * 6, exponential=True)
    assert (found.a, found.delta, found.low, found.high) == (math.inf, -math.inf, -math.inf, -math.inf)
    assert math.isnan(difference([Pair(*infinite, *infinite)] * 6, exponential=True).low)


@pytest.mark.parametrize("rows", range(1, 6))
def test_nothing_follows_from_few_rows(rows: int) -> None:
    found = difference([Pair(1, 1, 2, 1)] * rows)
    assert (found.delta, found.low, found.high) == (1, -math.inf, math.inf)
