"""What a ranking of documents is worth: each metric maps the grades of documents, best first, to a number from 0 to 1.

A grade says how relevant a document is; above 0 it is.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from swiftlet.api.v1alpha1.suites import RetrievalMetric

Grades = NDArray[np.float64]


def ranked(scores: NDArray[np.floating], grades: Grades) -> NDArray[np.int64]:
    """Numbers of the documents, that of the highest score first.

    Of equal scores the least relevant document comes first: a model that says the same of all is not flattered.
    """
    return np.lexsort((grades, -scores))


def mrr(grades: Grades) -> float:
    """1 / rank of the first relevant document. Source: Voorhees 1999, The TREC-8 question answering track report."""
    return float(1 / (1 + np.flatnonzero(grades > 0)[0]))


def ndcg(grades: Grades, k: int) -> float:
    """Gain of the first k, of the ideal ranking's. Source: Järvelin & Kekäläinen 2002, doi:10.1145/582415.582418: the
    gain is the grade, at rank i over log2(i + 1)."""
    return _gain(grades, k) / _gain(-np.sort(-grades), k)


def recall(grades: Grades, k: int) -> float:
    """Share of the relevant documents that are among the first k."""
    relevant = grades > 0
    return float(relevant[:k].sum() / relevant.sum())


def _gain(grades: Grades, k: int) -> float:
    gains = grades[:k].clip(min=0)
    return float((gains / np.log2(np.arange(2, len(gains) + 2))).sum())


RANKING_METRICS: Mapping[RetrievalMetric, Callable[[Grades], float]] = {
    "mrr": mrr,
    "ndcg_at_10": lambda grades: ndcg(grades, 10),
    "recall_at_1": lambda grades: recall(grades, 1),
    "recall_at_10": lambda grades: recall(grades, 10),
}
"""Of a query with at least one relevant document. Names are MTEB's (arXiv:2210.07316)."""
