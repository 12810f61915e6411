"""Losses of vectors beside their formulas, written here one text after the other, in fp64."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, log
from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.embedding import EmbeddingTask
from swiftlet_trainer.tasks.embedding.loss import loss
from swiftlet_trainer.tasks.embedding.texts import Texts, numbered

SIZES = (3, 2, 4, 3)
"""Texts of each group: a query, a positive, and none to two negatives."""
SCORES = (1.0, 0.0, 0.4, 1.0, 0.2, 0.0)
"""Of pairs."""

Vectors = list[list[float]]


def drawn(sizes: tuple[int, ...], scores: tuple[float, ...] | None = None, hidden: int = 8) -> Texts:
    generator = torch.Generator().manual_seed(5)
    common = torch.randn(hidden, generator=generator)
    vectors = torch.nn.functional.normalize(common + torch.randn(sum(sizes), hidden, generator=generator), dim=-1)
    group = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return Texts(vectors, group, torch.arange(sum(sizes)), torch.tensor(scores or (1.0,) * len(sizes)))


def task(**fields: Any) -> EmbeddingTask:
    return EmbeddingTask.model_validate(fields)


def cosine(one: list[float], other: list[float]) -> float:
    products = sum(a * b for a, b in zip(one, other, strict=True))
    return float(products / (sum(a * a for a in one) * sum(b * b for b in other)) ** 0.5)


def grouped(texts: Texts, size: int | None = None) -> list[Vectors]:
    """The vectors of each group, or their beginnings."""
    found: list[Vectors] = [[] for _ in range(int(texts.group[-1]) + 1)]
    for vector, group in zip(texts.vectors.double().tolist(), texts.group.tolist(), strict=True):
        found[group].append(vector[:size])
    return found


def infonce(groups: list[Vectors], temperature: float, others: bool, beyond: float | None = None) -> list[float]:
    found = []
    for number, (query, positive, *own) in enumerate(groups):
        elsewhere = [text for other, group in enumerate(groups) if other != number for text in group[1:]]
        negatives = [cosine(query, text) for text in [*own, *(elsewhere if others else [])]]
        right = cosine(query, positive)
        if beyond is not None:
            negatives = [one for one in negatives if one <= right + beyond]
        terms = [exp(one / temperature) for one in (right, *negatives)]
        found.append(-log(terms[0] / sum(terms)))
    return found


def pair_cosines(groups: list[Vectors]) -> list[float]:
    return [cosine(first, second) for first, second in groups]


def contrastive(groups: list[Vectors], margin: float) -> list[float]:
    found = []
    for one, score in zip(pair_cosines(groups), SCORES, strict=True):
        found.append(0.5 * (score * (1 - one) ** 2 + (1 - score) * max(0.0, margin - (1 - one)) ** 2))
    return found


def online_contrastive(groups: list[Vectors], margin: float) -> list[float]:
    distances = [1 - one for one in pair_cosines(groups)]
    positives = [one for one, score in zip(distances, SCORES, strict=True) if score > 0.5]
    negatives = [one for one, score in zip(distances, SCORES, strict=True) if score <= 0.5]
    total = sum(one**2 for one in positives if one > min(negatives))
    total += sum(max(0.0, margin - one) ** 2 for one in negatives if one < max(positives))
    return [total] * len(groups)


def cosent(groups: list[Vectors], scale: float) -> list[float]:
    found, cosines = 1.0, pair_cosines(groups)
    for high, above in zip(cosines, SCORES, strict=True):
        for low, below in zip(cosines, SCORES, strict=True):
            found += exp(scale * (low - high)) if above > below else 0
    return [log(found)] * len(groups)


def triplet(groups: list[Vectors], margin: float) -> list[float]:
    found = []
    for query, positive, *negatives in groups:
        each = [max(0.0, cosine(query, one) - cosine(query, positive) + margin) for one in negatives]
        found.append(sum(each) / len(each))
    return found


WITH_NEGATIVES = (3, 4, 3)
CASES: dict[str, tuple[dict[str, Any], Texts, Callable[[list[Vectors]], list[float]]]] = {
    "infonce": ({}, drawn(SIZES), lambda groups: infonce(groups, 0.1, others=True)),
    "infonce, temperature": ({"temperature": 0.5}, drawn(SIZES), lambda groups: infonce(groups, 0.5, others=True)),
    "infonce, own": ({"useBatch": False}, drawn(SIZES), lambda groups: infonce(groups, 0.1, others=False)),
    "infonce, fake": (
        {"maskFakeNegative": True, "fakeNegMargin": 0.05},
        drawn(SIZES),
        lambda groups: infonce(groups, 0.1, others=True, beyond=0.05),
    ),
    "contrastive": ({"lossType": "contrastive"}, drawn((2,) * 6, SCORES), lambda groups: contrastive(groups, 0.5)),
    "contrastive, margin": (
        {"lossType": "contrastive", "margin": 0.9},
        drawn((2,) * 6, SCORES),
        lambda groups: contrastive(groups, 0.9),
    ),
    "online contrastive": (
        {"lossType": "online_contrastive", "margin": 0.9},
        drawn((2,) * 6, SCORES),
        lambda groups: online_contrastive(groups, 0.9),
    ),
    "cosine similarity": (
        {"lossType": "cosine_similarity"},
        drawn((2,) * 6, SCORES),
        lambda groups: [(one - score) ** 2 for one, score in zip(pair_cosines(groups), SCORES, strict=True)],
    ),
    "cosent": ({"lossType": "cosent"}, drawn((2,) * 6, SCORES), lambda groups: cosent(groups, 20)),
    "triplet": ({"lossType": "triplet"}, drawn(WITH_NEGATIVES), lambda groups: triplet(groups, 0.5)),
}


@pytest.mark.parametrize(("fields", "texts", "formula"), CASES.values(), ids=CASES)
def test_a_loss_is_its_formula(fields: Any, texts: Texts, formula: Callable[[list[Vectors]], list[float]]) -> None:
    assert loss(texts, task(**fields)).tolist() == pytest.approx(formula(grouped(texts)), abs=1e-5)


@pytest.mark.parametrize("weights", [None, [1.0, 0.25]])
def test_beginnings_of_vectors_are_learnt_each(weights: list[float] | None) -> None:
    texts, given = drawn(SIZES), {"matryoshkaWeights": weights} if weights else {}
    found = loss(texts, task(matryoshkaDims=[8, 3], **given))
    parts = [infonce(grouped(texts, size), 0.1, others=True) for size in (8, 3)]
    expected = [whole + (weights or [1, 1])[1] * short for whole, short in zip(*parts, strict=True)]
    assert found.tolist() == pytest.approx(expected, abs=1e-5)


def test_what_answers_the_query_is_no_negative() -> None:
    """The positive's very text in another group, and the positive of the same query."""
    texts = drawn((2, 2, 2))
    alone = infonce(grouped(texts)[:2], 0.1, others=True)[0]
    for same in ([0, 1, 2, 3, 4, 1], [0, 1, 2, 3, 0, 5]):
        found = loss(replace(texts, same=torch.tensor(same)), task())
        assert found[0].item() == pytest.approx(alone, abs=1e-5)
    assert loss(texts, task())[0].item() > alone + 1e-4


def test_equal_texts_have_equal_numbers() -> None:
    lengths, tokens = [3, 2, 3, 3, 1], [5, 6, 7, 5, 6, 5, 6, 7, 7, 6, 5, 0]
    ends = torch.tensor(lengths).cumsum(0)
    bounds = torch.stack([ends - torch.tensor(lengths), ends], -1)
    found = numbered(torch.tensor([tokens]), bounds).tolist()
    assert found[0] == found[2] and len(set(found)) == 4
    generator = torch.Generator().manual_seed(1)
    many = torch.randint(0, 3, (20_000, 12), generator=generator)
    starts = torch.arange(20_000) * 12
    assert len(set(numbered(many, torch.stack([starts, starts + 12], -1)).tolist())) == len(
        {*map(tuple, many.tolist())}
    )


def test_gradients_are_those_of_the_formula() -> None:
    """Beside a finite difference, where all groups share negatives."""
    texts = drawn(SIZES)
    vectors = texts.vectors.double().requires_grad_()

    def total(given: torch.Tensor) -> torch.Tensor:
        return loss(replace(texts, vectors=given), task()).sum()

    assert torch.autograd.gradcheck(total, vectors)
