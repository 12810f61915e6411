"""Labelled texts as tokens with targets; labels that nobody knows are refused by line, all at once."""

from typing import Any

import pytest
from swiftlet_trainer.data.prepare import prepare
from swiftlet_trainer.failures import InvalidInput

TEXTS = [{"text": f"Swift number {number}.", "label": number % 2} for number in range(4)]


def prepared(pod: Any, tokenizer: Any, rows: list[Any], **block: Any) -> Any:
    return prepare(pod.document(pod.data("labelled.jsonl", rows), task={"seqCls": block}), tokenizer)


def test_rows_have_the_targets_of_their_labels(pod: Any, tokenizer: Any) -> None:
    found = prepared(pod, tokenizer, TEXTS)
    assert found.train["targets"][:] == [[0.0], [1.0], [0.0], [1.0]]
    assert [tokenizer.decode(ids) for ids in found.train["input_ids"]] == [row["text"] for row in TEXTS]


def test_labels_beyond_those_of_the_task_are_refused_by_line(pod: Any, tokenizer: Any) -> None:
    rows = [*TEXTS, {"text": "Beyond.", "label": 2}, {"text": "Below.", "label": -1}, {"text": "None."}]
    with pytest.raises(InvalidInput) as refused:
        prepared(pod, tokenizer, rows, numLabels=2)
    beyond, below, none = refused.value.problems
    assert (
        beyond == "labelled.jsonl:5: label is int 2; known are LABEL_0, LABEL_1, or 0 to 1: correct it, or set labels"
    )
    assert below.startswith("labelled.jsonl:6: label is int -1; known are")
    assert none.startswith("labelled.jsonl:7: no column label or labels; add it")
