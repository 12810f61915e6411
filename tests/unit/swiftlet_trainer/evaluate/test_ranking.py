"""Metrics of rankings, beside figures worked out by hand."""

from math import log2

import numpy as np
import pytest
from swiftlet_trainer.evaluate.ranking import RANKING_METRICS, mrr, ndcg, ranked, recall


def test_the_highest_score_comes_first_and_a_tie_flatters_nobody() -> None:
    scores, grades = np.array([0.1, 0.9, 0.5, 0.9]), np.array([0.0, 1.0, 0.0, 0.0])
    assert ranked(scores, grades).tolist() == [3, 1, 2, 0]
    assert mrr(grades[ranked(np.zeros(4), grades)]) == 1 / 4


def test_mrr_is_one_over_the_rank_of_the_first_relevant() -> None:
    assert mrr(np.array([0.0, 0.0, 1.0, 1.0])) == pytest.approx(1 / 3)


def test_recall_is_the_share_that_is_found() -> None:
    grades = np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    assert [recall(grades, k) for k in (1, 2, 4, 10)] == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_ndcg_of_the_example_of_its_authors() -> None:
    """Gains 3, 2, 3, 0, 1, 2 have the DCG 6.861 and the ideal 7.141 (Järvelin & Kekäläinen's, as textbooks work it)."""
    grades = np.array([3.0, 2, 3, 0, 1, 2])
    dcg = 3 + 2 / log2(3) + 3 / 2 + 1 / log2(6) + 2 / log2(7)
    ideal = 3 + 3 / log2(3) + 2 / 2 + 2 / log2(5) + 1 / log2(6)
    assert ndcg(grades, 10) == pytest.approx(dcg / ideal)
    assert ndcg(grades, 10) == pytest.approx(0.9608, abs=1e-4)
    assert ndcg(np.array([0.0, 1.0]), 1) == 0


def test_what_is_beyond_the_tenth_counts_for_nothing() -> None:
    grades = np.array([*[0.0] * 10, 1.0])
    found = {name: metric(grades) for name, metric in RANKING_METRICS.items()}
    assert found == {"mrr": pytest.approx(1 / 11), "ndcg_at_10": 0, "recall_at_1": 0, "recall_at_10": 0}
