"""Which rows make up a step."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet_trainer.training.batches import BatchPlan, RankBatches


def plan_of(rows: int, batch: int, seed: int = 1, grouped: bool = True) -> BatchPlan:
    lengths = np.random.default_rng(0).integers(5, 500, rows)
    return BatchPlan(tuple(lengths.tolist()), batch, seed, grouped)


@given(rows=st.integers(1, 40), batch=st.integers(1, 12), grouped=st.booleans())
def test_every_row_is_taken_equally_often(rows: int, batch: int, grouped: bool) -> None:
    plan = plan_of(rows, batch, grouped=grouped)
    # Windows and epochs end together after this many rows.
    window = plan.rows(0).size * (max(1, rows // batch) if grouped else 1)
    steps = math.lcm(rows, window) // batch
    seen = Counter(int(row) for step in range(steps) for row in plan.rows(step))
    assert set(seen.values()) == {steps * batch // rows}
    assert len(seen) == rows


@pytest.mark.parametrize(("processes", "size"), [(1, 8), (1, 2), (2, 4), (2, 1), (4, 2), (8, 1)])
def test_a_step_has_the_same_rows_on_any_number_of_processes(processes: int, size: int) -> None:
    plan = plan_of(50, 8)
    for step in range(20):
        shares = [plan.micro_batches(step, processes, rank, size) for rank in range(processes)]
        rows = np.concatenate([part for share in shares for part in share])
        assert sorted(rows) == sorted(plan.rows(step))
        assert {len(share) for share in shares} == {8 // (processes * size)}


def test_steps_do_not_depend_on_those_before() -> None:
    """A resumed run starts in the middle and takes the same rows."""
    straight = [plan_of(50, 8).rows(step).tolist() for step in range(30)]
    assert [plan_of(50, 8).rows(step).tolist() for step in reversed(range(30))] == straight[::-1]


def test_the_seed_changes_the_order() -> None:
    assert plan_of(50, 8, seed=1).rows(0).tolist() != plan_of(50, 8, seed=2).rows(0).tolist()


def test_grouping_saves_padding_and_keeps_lengths_in_random_order() -> None:
    def padding(plan: BatchPlan) -> float:
        batches = [[plan.lengths[row] for row in plan.rows(step)] for step in range(100)]
        return 1 - sum(map(sum, batches)) / sum(max(batch) * len(batch) for batch in batches)

    grouped, plain = plan_of(800, 8), plan_of(800, 8, grouped=False)
    assert padding(grouped) < 0.1 < 0.3 < padding(plain)
    longest = [max(grouped.lengths[row] for row in grouped.rows(step)) for step in range(50)]
    assert longest != sorted(longest) and longest != sorted(longest, reverse=True)


def test_number_of_steps() -> None:
    plan = plan_of(84, 8)
    assert plan.total_steps(3.0, None) == 32  # 31.5, and a step is never cut
    assert plan.total_steps(None, None) == 32
    assert plan.total_steps(None, 7) == 7
    assert plan.total_steps(0.01, None) == 1
    assert plan.epoch(32) == pytest.approx(3.05, abs=0.01)


def test_sampler_walks_through_the_run() -> None:
    plan = plan_of(20, 4)
    sampler = RankBatches(plan, steps=range(6), processes=2, rank=1, size=1)
    batches = list(sampler)
    assert len(batches) == len(sampler) == 12
    assert batches[2:4] == [rows.tolist() for rows in plan.micro_batches(1, 2, 1, 1)]
    resumed = RankBatches(plan, steps=range(4, 6), processes=2, rank=1, size=1)
    assert list(resumed) == batches[8:] and len(resumed) == 4
