"""Standard errors by hand, and what a bootstrap interval has to satisfy."""

import math

import numpy as np
import pytest
from swiftlet_trainer.evaluate.statistics import (
    mean_sample,
    paired_interval,
    perplexity_sample,
    standard_error,
    value,
)


def test_mean_and_its_standard_error() -> None:
    sample = mean_sample([0, 1, 1, 1])
    assert value(sample) == 0.75
    # Sample variance 3 * (1/4) * (3/4) * 4 / 3 / ... = 0.25, over 4 rows: sqrt(0.25 / 4).
    assert standard_error(sample) == pytest.approx(0.25)


def test_standard_error_of_one_row_is_unknown() -> None:
    assert standard_error(mean_sample([1.0])) is None


def test_perplexity_weighs_tokens_not_rows() -> None:
    sample = perplexity_sample([2.0, 30.0], [1, 9])
    assert value(sample) == pytest.approx(math.exp(32 / 10))


def test_standard_error_of_perplexity_is_the_delta_method() -> None:
    # Equal weights: the ratio is the mean of nll per token, so its error is that of the mean, times the perplexity.
    per_token = np.array([1.0, 2.0, 4.0, 1.5])
    sample = perplexity_sample(list(per_token * 10), [10] * 4)
    expected = per_token.std(ddof=1) / 2 * math.exp(per_token.mean())
    assert standard_error(sample) == pytest.approx(expected)


def test_standard_error_agrees_with_a_simulation() -> None:
    random = np.random.default_rng(0)
    tokens = random.integers(5, 60, size=(3000, 40))
    nll = tokens * 1.5 + random.normal(0, 4, size=tokens.shape)
    drawn = [value(perplexity_sample(row, count)) for row, count in zip(nll, tokens, strict=True)]
    told = [standard_error(perplexity_sample(row, count)) or 0 for row, count in zip(nll, tokens, strict=True)]
    assert np.mean(told) == pytest.approx(np.std(drawn), rel=0.1)


def test_overflowing_perplexity_is_infinite() -> None:
    overflowing = perplexity_sample([1e6, 3e6], [1, 1])
    assert value(overflowing) == math.inf
    assert standard_error(overflowing) is None
    overflowing, plain = perplexity_sample([1e6] * 6, [1] * 6), perplexity_sample([1.0] * 6, [1] * 6)
    assert paired_interval(overflowing, plain, seed=1) == (math.inf, math.inf)
    assert paired_interval(plain, overflowing, seed=1) == (-math.inf, -math.inf)
    assert all(math.isnan(end) for end in paired_interval(overflowing, overflowing, seed=1))


@pytest.mark.parametrize("rows", range(1, 6))
def test_nothing_follows_from_few_rows(rows: int) -> None:
    assert paired_interval(mean_sample([1.0] * rows), mean_sample([0.0] * rows), seed=1) == (-math.inf, math.inf)


def test_equal_samples_have_no_difference() -> None:
    sample = mean_sample([0.0, 1.0, 1.0] * 2)
    assert paired_interval(sample, sample, seed=1) == (0.0, 0.0)


def test_constant_shift_has_a_point_interval_because_rows_are_paired() -> None:
    values = np.random.default_rng(1).normal(size=50)
    low, high = paired_interval(mean_sample(list(values + 0.5)), mean_sample(list(values)), seed=1)
    assert low == pytest.approx(0.5)
    assert high == pytest.approx(0.5)


def test_interval_is_reproducible_and_depends_on_the_seed() -> None:
    random = np.random.default_rng(2)
    before, after = mean_sample(list(random.random(30))), mean_sample(list(random.random(30)))
    assert paired_interval(after, before, seed=3) == paired_interval(after, before, seed=3)
    assert paired_interval(after, before, seed=3) != paired_interval(after, before, seed=4)


def test_swapping_the_sides_mirrors_the_interval() -> None:
    random = np.random.default_rng(3)
    before, after = mean_sample(list(random.random(30))), mean_sample(list(random.random(30)))
    low, high = paired_interval(after, before, seed=5)
    assert paired_interval(before, after, seed=5) == pytest.approx((-high, -low))


def test_interval_covers_the_truth_about_95_times_in_100() -> None:
    random = np.random.default_rng(4)
    covered = 0
    for trial in range(200):
        before = random.normal(size=60)
        after = before + random.normal(0.3, 1, size=60)
        low, high = paired_interval(mean_sample(list(after)), mean_sample(list(before)), seed=trial, resamples=1000)
        covered += low <= 0.3 <= high
    assert 178 <= covered <= 200


def test_perplexity_is_resampled_on_sums() -> None:
    # One row holds nearly all tokens: draws without it give another perplexity, which a mean of rows would not show.
    tokens = [100, 1, 1, 1, 1, 1]
    after, before = perplexity_sample([100.0] + [1.0] * 5, tokens), perplexity_sample([200.0] + [1.0] * 5, tokens)
    low, high = paired_interval(after, before, seed=1)
    assert low == pytest.approx(math.exp(1) - math.exp(2), rel=0.05)
    assert high == pytest.approx(0.0)


def test_samples_of_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="3 and 2 rows"):
        paired_interval(mean_sample([1, 2, 3]), mean_sample([1, 2]), seed=1)
