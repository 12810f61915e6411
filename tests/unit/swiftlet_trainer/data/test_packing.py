import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet_trainer.data.packing import best_fit_decreasing


@given(st.lists(st.integers(1, 64), max_size=200))
def test_every_row_is_in_one_bin_and_no_bin_overflows(lengths: list[int]) -> None:
    bins = best_fit_decreasing(np.array(lengths, dtype=np.int64), 64)
    assert sorted(row for one in bins for row in one) == list(range(len(lengths)))
    assert all(sum(lengths[row] for row in one) <= 64 for one in bins)


@given(st.lists(st.integers(1, 64), min_size=1, max_size=200))
def test_no_two_bins_would_fit_into_one(lengths: list[int]) -> None:
    fills = sorted(sum(lengths[row] for row in one) for one in best_fit_decreasing(np.array(lengths), 64))
    assert len(fills) < 2 or fills[0] + fills[1] > 64


def test_fullest_bin_that_fits_is_taken() -> None:
    assert best_fit_decreasing(np.array([6, 5, 4, 3]), 10) == [[0, 2], [1, 3]]


def test_row_that_fits_nowhere() -> None:
    with pytest.raises(ValueError, match="a row of 11 tokens does not fit into 10"):
        best_fit_decreasing(np.array([3, 11]), 10)
