"""Ranking documents for queries by their vectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

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


def rankings(rows: Sequence[Relevance], texts: Texts, vectors: torch.Tensor, all_documents: bool) -> list[Found]:
    """The ranking of each row by cosines, of all documents or of its own. vectors: of `texts`, of length 1."""
    queries, documents = vectors.split([len(rows), len(texts.number)])
    return [_ranking(row, texts, documents, query, all_documents) for row, query in zip(rows, queries, strict=True)]


def _ranking(row: Relevance, texts: Texts, documents: torch.Tensor, query: torch.Tensor, all_documents: bool) -> Found:
    grade_of = dict(zip(row.documents, row.grades, strict=True))
    among = list(texts.number if all_documents else grade_of)
    cosines = (documents if all_documents else documents[[texts.number[text] for text in among]]) @ query
    grades = np.array([grade_of.get(text, 0.0) for text in among])
    order = ranked(cosines.numpy(), grades)
    return Found(among[order[0]], {name: metric(grades[order]) for name, metric in RANKING_METRICS.items()})
