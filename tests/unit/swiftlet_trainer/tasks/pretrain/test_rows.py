"""Texts as tokens: all of them learnt, the end of each too, split and packed; turns refused by line."""

from collections.abc import Callable
from typing import Any

import pytest
from swiftlet_trainer.data.prepare import prepare
from swiftlet_trainer.failures import InvalidInput

TEXTS = [f"Swift number {number} sleeps on the wing." + " It flies on." * (20 * number) for number in range(6)]


def prepared(pod: Any, tokenizer: Any, rows: list[Any], **template: Any) -> Any:
    document = pod.document(pod.data("texts.jsonl", rows), task={"pretrain": {}}, template=template)
    return prepare(document, tokenizer)


@pytest.mark.parametrize("packing", [False, True])
def test_every_token_is_learnt_and_the_end_of_each_text(pod: Any, tokenizer: Any, packing: bool) -> None:
    """Of a long text the last piece alone has an end."""
    found = prepared(pod, tokenizer, [{"text": text} for text in TEXTS], maxLength=64, packing=packing)
    assert found.counts.dropped == {}
    assert max(found.train["length"]) <= 64
    assert all(row["labels"] == row["input_ids"] for row in found.train)
    learnt = [token for row in found.train for token in row["input_ids"]]
    assert learnt.count(tokenizer.eos_token_id) == len(TEXTS)
    expected = sorted(token for text in TEXTS for token in [*tokenizer(text)["input_ids"], tokenizer.eos_token_id])
    assert sorted(learnt) == expected


def test_packing_fills_sequences(pod: Any, tokenizer: Any) -> None:
    rows = [{"text": text} for text in TEXTS]
    plain, packed = (len(prepared(pod, tokenizer, rows, maxLength=64, packing=one).train) for one in (False, True))
    tokens = sum(len(tokenizer(text)["input_ids"]) + 1 for text in TEXTS)
    assert packed < plain
    assert packed * 64 < 1.1 * tokens


def test_turns_are_refused_by_line(pod: Any, tokenizer: Any, chat: Callable[..., Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        prepared(pod, tokenizer, [chat("q", "a"), {"messages": []}])
    assert "texts.jsonl:1: the row has turns, and task pretrain learns from texts; give a text, or use task sft" in str(
        refused.value
    )


def test_a_text_is_what_sft_learns_of_it(pod: Any, tokenizer: Any) -> None:
    """The same tokens and labels as the format `text` has under sft."""
    rows = [{"text": text} for text in TEXTS]
    ours = prepared(pod, tokenizer, rows, maxLength=64).train
    theirs = prepare(pod.document(pod.data("texts.jsonl", rows), template={"maxLength": 64}), tokenizer).train
    assert ours["input_ids"][:] == theirs["input_ids"][:]
    assert ours["labels"][:] == theirs["labels"][:]
