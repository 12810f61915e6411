from collections import Counter

import numpy as np
import pytest
from swiftlet_trainer.data.mixing import Share, share


def shared(rows: int, **changes: object) -> Share:
    fields = {"sample": None, "weight": 1.0, "eval_fraction": 0.0, "is_eval": False, "seed": [42, 0], **changes}
    return share(rows, **fields)  # type: ignore[arg-type]


def test_everything_once_in_order() -> None:
    assert shared(5).train.tolist() == [0, 1, 2, 3, 4]
    assert shared(5).evaluation.tolist() == []


def test_sample_draws_without_replacement_and_by_the_seed() -> None:
    drawn = shared(100, sample=10).train
    assert len(set(drawn.tolist())) == 10
    assert np.array_equal(drawn, shared(100, sample=10).train)
    assert not np.array_equal(drawn, shared(100, sample=10, seed=[43, 0]).train)


def test_more_than_there_are_repeats_rows_evenly() -> None:
    times = Counter(shared(4, sample=10).train.tolist())
    assert sorted(times.values()) == [2, 2, 3, 3]


@pytest.mark.parametrize(("weight", "rows"), [(2.0, 20), (0.5, 5), (2.5, 25), (0.01, 1)])
def test_weight_is_how_often_rows_are_seen(weight: float, rows: int) -> None:
    times = Counter(shared(10, weight=weight).train.tolist())
    assert sum(times.values()) == rows
    assert max(times.values()) - min(times.get(row, 0) for row in range(10)) <= 1


def test_held_out_rows_are_never_trained_on() -> None:
    one = shared(100, eval_fraction=0.1, weight=3.0)
    assert len(one.evaluation) == 10 and len(one.train) == 270
    assert not set(one.train.tolist()) & set(one.evaluation.tolist())


def test_held_out_rows_come_from_the_sample() -> None:
    one = shared(1000, sample=50, eval_fraction=0.2)
    assert (len(one.train), len(one.evaluation)) == (40, 10)


def test_one_row_is_never_held_out() -> None:
    assert shared(1, eval_fraction=0.5).train.tolist() == [0]


def test_eval_set_goes_to_the_evaluation_as_a_whole() -> None:
    one = shared(10, sample=4, is_eval=True, eval_fraction=0.5)
    assert len(one.train) == 0 and len(set(one.evaluation.tolist())) == 4
