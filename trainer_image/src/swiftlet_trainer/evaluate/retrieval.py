"""Ranking documents for queries."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from swiftlet_trainer.data.examples import Relevance
from swiftlet_trainer.evaluate.ranking import RANKING_METRICS, ranked


@dataclass(frozen=True)
class Texts:
    """The texts of rows, each once: all queries, then all documents.

    ids: the tokens of each. rows: the first row that each is of.
    """

    ids: list[list[int]]
    rows: list[int]
    number: dict[str, int]
    """Of each document among the documents."""


@dataclass(frozen=True)
class Found:
    """What a ranking has first, and what it is worth."""

    first: str
    metrics: dict[str, float]


def texts_of(rows: Sequence[Relevance], encoded: Sequence[Sequence[list[int]]]) -> Texts:
    """encoded: the tokens of each row's query and documents."""
    ids = [query for query, *_ in encoded]
    origins, number = list(range(len(rows))), dict[str, int]()
    for index, (row, (_, *documents)) in enumerate(zip(rows, encoded, strict=True)):
        for text, one in zip(row.documents, documents, strict=True):
            if text not in number:
                number[text] = len(number)
                ids.append(one)
                origins.append(index)
    return Texts(ids, origins, number)


def candidates(rows: Sequence[Relevance], all_documents: bool) -> list[list[str]]:
    """The documents that are ranked for each row: those of all rows, or its own; each once."""
    if not all_documents:
        return [list(dict.fromkeys(row.documents)) for row in rows]
    return [list(dict.fromkeys(text for row in rows for text in row.documents))] * len(rows)


def rankings(
    rows: Sequence[Relevance], ranked_for: Sequence[list[str]], texts: Texts, vectors: torch.Tensor
) -> list[Found]:
    """The ranking of each row's candidates by cosines. vectors: of `texts`, of length 1."""
    queries, documents = vectors.split([len(rows), len(texts.number)])
    cosines = (
        documents[[texts.number[text] for text in among]] @ query
        for among, query in zip(ranked_for, queries, strict=True)
    )
    return [ranking(row, among, one.numpy()) for row, among, one in zip(rows, ranked_for, cosines, strict=True)]


def ranking(row: Relevance, among: Sequence[str], scores: NDArray[np.floating]) -> Found:
    """The ranking of `among` for a row by their scores, (documents,)."""
    grade_of = dict(zip(row.documents, row.grades, strict=True))
    grades = np.array([grade_of.get(text, 0.0) for text in among])
    order = ranked(scores, grades)
    return Found(among[order[0]], {name: metric(grades[order]) for name, metric in RANKING_METRICS.items()})
