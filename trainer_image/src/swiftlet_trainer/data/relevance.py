"""Rows of a text and documents that are relevant to it, or not: pairs, triplets, scored pairs and ranked lists, in the
shapes that sentence-transformers, ms-swift and FlagEmbedding publish and read."""

import math
from typing import Any

from swiftlet_trainer.data.answers import answers_of, column_of, require_whole
from swiftlet_trainer.data.examples import Relevance
from swiftlet_trainer.data.formats import Format, RowView
from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.keys import RowError, is_empty
from swiftlet_trainer.data.shown import shown
from swiftlet_trainer.data.turns import agreed

NUMBERED = 16
"""Negatives that may have a column each: negative_1, negative_2, …"""


def _from_relevance(view: RowView) -> Relevance:
    query = _query(view)
    positives = _texts(view, view.needed("positive"), column_of(view, "positive"))
    negatives = [
        text
        for name in view.names["negative"]
        if not is_empty(view.row.get(name))
        for text in _texts(view, view.row[name], name)
    ]
    if not positives:
        raise RowError(f"{column_of(view, 'positive')} is empty; give a text, or leave the row out")
    label = view.get("label")
    if is_empty(label):
        return _checked(Relevance(query, [*positives, *negatives], [1.0] * len(positives) + [0.0] * len(negatives)))
    name = column_of(view, "label")
    if negatives:
        raise RowError(f"{name} is the score of a pair, and this row has negatives; leave one of them out")
    scores = _numbers(label, name)
    if len(scores) != len(positives):
        raise RowError(f"{name} has {len(scores)} numbers for {len(positives)} texts; give one for each")
    return _checked(Relevance(query, positives, scores))


def _from_ranking(view: RowView) -> Relevance:
    documents = _texts(view, view.needed("documents"), column_of(view, "documents"))
    name = column_of(view, "label")
    scores = _numbers(view.needed("label"), name)
    if len(scores) != len(documents):
        raise RowError(f"{name} has {len(scores)} numbers for {len(documents)} documents; give one for each")
    return _checked(Relevance(_query(view), documents, scores))


def _query(view: RowView) -> str:
    require_whole(agreed(view.marks, ""), "the row")
    name = column_of(view, "prompt")
    found = _texts(view, view.needed("prompt"), name)
    if len(found) != 1:
        raise RowError(f"{name} has {len(found)} texts; give one, and others as rows of their own")
    return found[0]


def _texts(view: RowView, value: Any, where: str) -> list[str]:
    """One text, or several: each a text, or the one turn of a conversation."""
    found = []
    for turns in answers_of(view, value, where):
        if len(turns) != 1:
            raise RowError(f"{where} has {len(turns)} turns; what is compared are texts: write them as one")
        if turns[0].calls or turns[0].thought:
            raise RowError(f"{where} calls tools or thinks; what is compared are texts: write them as one")
        if not turns[0].content.strip():
            raise RowError(f"{where} is empty; give a text, or leave it out")
        found.append(turns[0].content)
    return found


def _numbers(value: Any, where: str) -> list[float]:
    if isinstance(value, str):  # as CSV has them
        try:
            value = decoded(value)
        except JsonValueError:
            raise RowError(f"{where} must be a number, this is {shown(value)}") from None
    values = value if isinstance(value, list | tuple) else [value]
    for one in values:
        if not isinstance(one, int | float) or not math.isfinite(one):
            raise RowError(f"{where} must be a number, this is {shown(one)}")
    return [float(one) for one in values]


def _checked(found: Relevance) -> Relevance:
    """Raises RowError where a text is relevant and not relevant at once, or nothing is compared."""
    if not found.documents:
        raise RowError("no document in it; give a text, or leave the row out")
    if both := sorted(set(found.positives) & set(found.negatives)):
        raise RowError(f"{both[0][:40]!r} is both a positive and a negative; leave one of them out")
    return found


_TURN = {"role": ("role", "from"), "content": ("content", "value")}
_QUERY = ("anchor", "query", "question", "sentence1", "sentence_A", "text1", "messages", "conversations", "prompt")
_LABEL = ("label", "labels", "score", "scores", "similarity", "similarity_score")


_NEGATIVE = ("negative", *(f"negative_{number}" for number in range(1, NUMBERED + 1)), "negatives")


RELEVANCE: dict[str, Format[Relevance]] = {
    one.name: one
    for one in (
        Format(
            "relevance",
            {
                "prompt": _QUERY,
                "positive": (
                    *("positive", "positives", "pos", "positive_messages", "sentence2", "sentence_B", "text2"),
                    *("answer", "response"),
                ),
                "negative": (*_NEGATIVE, "neg", "negative_messages", "rejected_response"),
                "label": _LABEL,
                **_TURN,
            },
            ("prompt", "positive"),
            _from_relevance,
        ),
        Format(
            "ranking",
            {
                "prompt": _QUERY,
                "documents": ("documents", "docs", "passages", "candidates"),
                "label": (*_LABEL, "relevance"),
                **_TURN,
            },
            ("prompt", "documents", "label"),
            _from_ranking,
        ),
    )
}
"""What tasks that compare texts read."""
