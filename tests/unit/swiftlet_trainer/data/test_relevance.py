"""Texts that are compared, in the shapes that others publish, and what is refused of them."""

from typing import Any

import pytest
from swiftlet.api.v1alpha1.dataset import Columns
from swiftlet_trainer.data.examples import Relevance
from swiftlet_trainer.data.formats import converted, detect, key_book
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.relevance import RELEVANCE


def read(row: dict[str, Any], **columns: str) -> Relevance:
    named = Columns(**columns) if columns else None
    found = detect(row, named, RELEVANCE)
    return converted(row, found, named, key_book(found, named))


def said(*texts: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text} for text in texts]


PAIR, TRIPLET = Relevance("q", ["a"], [1.0]), Relevance("q", ["a", "b"], [1.0, 0.0])
SEVERAL = Relevance("q", ["a", "b", "c"], [1.0, 0.0, 0.0])
SHAPES = {
    "sentence-transformers, pair": ({"anchor": "q", "positive": "a"}, PAIR),
    "question and answer": ({"question": "q", "answer": "a"}, PAIR),
    "sentence-transformers, triplet": ({"anchor": "q", "positive": "a", "negative": "b"}, TRIPLET),
    "sentence-transformers, mined": ({"query": "q", "positive": "a", "negative_1": "b", "negative_2": "c"}, SEVERAL),
    "sentence-transformers, scored": (
        {"sentence1": "q", "sentence2": "a", "score": 0.7},
        Relevance("q", ["a"], [0.7]),
    ),
    "sentence-transformers, cross encoder": ({"query": "q", "docs": ["a", "b"], "labels": [1, 0]}, TRIPLET),
    "a list of negatives": ({"anchor": "q", "positive": "a", "negatives": ["b", "c"]}, SEVERAL),
    "FlagEmbedding": ({"query": "q", "pos": ["a"], "neg": ["b", "c"]}, SEVERAL),
    "ms-swift, pair": ({"messages": said("q"), "positive_messages": [said("a")]}, PAIR),
    "ms-swift, negatives": (
        {"messages": said("q"), "positive_messages": [said("a")], "negative_messages": [said("b"), said("c")]},
        SEVERAL,
    ),
    "ms-swift, scored": (
        {"messages": said("q"), "positive_messages": [said("a")], "label": 0.8},
        Relevance("q", ["a"], [0.8]),
    ),
    "ms-swift, before 3.8": ({"query": "q", "response": "a", "rejected_response": ["b", "c"]}, SEVERAL),
    "a ranked list": (
        {"query": "q", "passages": ["a", "b"], "scores": [2, 0.5]},
        Relevance("q", ["a", "b"], [2.0, 0.5]),
    ),
    "cells of CSV": ({"query": "q", "positive": '["a"]', "negative": '["b", "c"]', "label": ""}, SEVERAL),
}


@pytest.mark.parametrize(("row", "expected"), SHAPES.values(), ids=SHAPES)
def test_the_same_is_the_same_however_it_is_written(row: dict[str, Any], expected: Relevance) -> None:
    assert read(row) == expected


def test_columns_of_other_names() -> None:
    row = {"frage": "q", "gut": "a", "schlecht": ["b"]}
    assert read(row, prompt="frage", positive="gut", negative="schlecht") == TRIPLET
    listed = {"frage": "q", "texte": ["a", "b"], "noten": [1, 0]}
    assert read(listed, prompt="frage", documents="texte", label="noten") == TRIPLET


REFUSED = {
    "nothing beside the text": ({"anchor": "q"}, "relevance needs anchor/query"),
    "documents without scores": ({"query": "q", "documents": ["a"]}, "ranking needs"),
    "an empty text": ({"anchor": "q", "positive": " "}, "positive is empty; give a text"),
    "an empty one of several": ({"query": "q", "pos": ["a", ""]}, "pos is empty"),
    "no positive": ({"query": "q", "pos": [], "neg": ["b"]}, "pos is empty; give a text, or leave the row"),
    "no document": ({"query": "q", "docs": [], "labels": []}, "no document"),
    "two queries": ({"query": ["q", "r"], "positive": "a"}, "query has 2 texts"),
    "a conversation": (
        {"messages": [*said("q"), *said("r")], "positive": "a"},
        "messages has 2 turns; what is compared are texts",
    ),
    "both at once": (
        {"anchor": "q", "positive": "a", "negatives": ["b", "a"]},
        "'a' is both a positive and a negative",
    ),
    "both at once, scored": ({"query": "q", "docs": ["a", "a"], "labels": [1, 0]}, "'a' is both"),
    "a score that is none": ({"sentence1": "q", "sentence2": "a", "score": "high"}, "score must be a number"),
    "a score beyond all": ({"sentence1": "q", "sentence2": "a", "score": float("inf")}, "score must be a number"),
    "more scores than texts": (
        {"sentence1": "q", "sentence2": "a", "score": [1, 0]},
        "score has 2 numbers for 1 texts",
    ),
    "fewer scores than documents": ({"query": "q", "docs": ["a", "b"], "labels": [1]}, "labels has 1 numbers for 2"),
    "a score and negatives": (
        {"anchor": "q", "positive": "a", "negative": "b", "label": 0.5},
        "label is the score of a pair, and this row has negatives",
    ),
    "not learnt": ({"anchor": "q", "positive": "a", "weight": 0}, "marked not to be learnt"),
    "pictures": ({"anchor": "q", "positive": "a", "images": ["x.png"]}, "images is not supported"),
}


@pytest.mark.parametrize(("row", "words"), REFUSED.values(), ids=REFUSED)
def test_a_row_that_compares_nothing_says_why(row: dict[str, Any], words: str) -> None:
    with pytest.raises(RowError) as refused:
        read(row)
    assert words in str(refused.value)
