"""Unpaired preference data in the shapes that others publish, and what is refused of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.api.v1alpha1.dataset import Columns
from swiftlet_trainer.data.examples import Judgement
from swiftlet_trainer.data.formats import converted, detect, key_book
from swiftlet_trainer.data.judgements import JUDGEMENTS
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.turns import Turn

USER, SYSTEM = {"role": "user", "content": "Which?"}, {"role": "system", "content": "Be brief."}
GOOD = {"role": "assistant", "content": "This."}
LATER = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]


def read(row: dict[str, Any], **columns: str) -> Judgement:
    named = Columns(**columns) if columns else None
    found = detect(row, named, JUDGEMENTS)
    return converted(row, found, named, key_book(found, named))


def turns(*messages: dict[str, str]) -> list[Turn]:
    return [Turn(one["role"], one["content"]) for one in messages]  # type: ignore[arg-type]


JUDGED = Judgement(turns(USER), turns(GOOD), is_good=True)
SHAPES = {
    "TRL, text": {"prompt": "Which?", "completion": "This.", "label": True},
    "TRL, turns": {"prompt": [USER], "completion": [GOOD], "label": True},
    "TRL, prompt within the answer": {"completion": [USER, GOOD], "label": True},
    "ms-swift": {"messages": [USER, GOOD], "label": True},
    "LLaMA-Factory, alpaca": {"instruction": "Which?", "input": "", "output": "This.", "kto_tag": True},
    "LLaMA-Factory, sharegpt": {
        "conversations": [{"from": "human", "value": "Which?"}, {"from": "gpt", "value": "This."}],
        "kto_tag": True,
    },
    "cells of CSV": {"messages": json.dumps([USER, GOOD]), "label": "true"},
    "a cell of CSV": {"prompt": "Which?", "completion": "This.", "label": "True"},
    "a number": {"query": "Which?", "response": "This.", "label": 1},
    "a fraction": {"query": "Which?", "response": "This.", "label": 1.0},
}


@pytest.mark.parametrize("row", SHAPES.values(), ids=SHAPES)
def test_an_answer_is_judged_however_it_is_written(row: dict[str, Any]) -> None:
    assert read(row) == JUDGED


@pytest.mark.parametrize("label", [False, 0, 0.0, "false", "0", "False"])
def test_a_bad_answer_is_bad_however_it_is_written(label: Any) -> None:
    assert not read({"prompt": "Which?", "completion": "This.", "label": label}).is_good


def test_the_last_turn_of_a_conversation_is_judged() -> None:
    found = read({"messages": [USER, GOOD, *LATER], "label": False, "system": "Be brief."})
    assert found == Judgement(turns(SYSTEM, USER, GOOD, LATER[0]), turns(LATER[1]), is_good=False)
    assert [turn.weight for turn in found.conversations[0]] == [None, None, False, None, None]


def test_columns_of_other_names() -> None:
    row = {"frage": "Which?", "antwort": "This.", "gut": True}
    assert read(row, prompt="frage", completion="antwort", label="gut") == JUDGED


REFUSED = {
    "no label": ({"prompt": "q", "completion": "a"}, "unpaired_preference needs label/kto_tag"),
    "a label that is empty": ({"prompt": "q", "completion": "a", "label": None}, "no column label or kto_tag"),
    "a word": ({"prompt": "q", "completion": "a", "label": "good"}, "label is str 'good'; write true for a good"),
    "a degree": ({"prompt": "q", "completion": "a", "label": 0.7}, "label is float 0.7; write true for a good answer"),
    "a class": ({"prompt": "q", "completion": "a", "kto_tag": 2}, "kto_tag is int 2; write true for a good answer"),
    "a list": ({"prompt": "q", "completion": "a", "label": [True]}, "label is list [True]"),
    "two labels": ({"prompt": "q", "completion": "a", "label": True, "kto_tag": False}, "both label and kto_tag"),
    "no prompt": ({"completion": "a", "label": True}, "no prompt; add the question"),
    "no answer": ({"prompt": "q", "label": True}, "no answer at the end of messages, which label judges; add it"),
    "an end of the user": ({"messages": [GOOD, USER], "label": True}, "no answer at the end of messages"),
    "two answers": ({"prompt": "q", "completion": ["a", "b"], "label": True}, "completion has 2 answers"),
    "another prompt": ({"prompt": "What?", "completion": [USER, GOOD], "label": True}, "is not the row's prompt"),
    "a pair": ({"prompt": "q", "chosen": "a", "rejected": "b", "label": True}, "chosen is not supported"),
    "a rating": ({"prompt": "q", "completion": "a", "label": True, "rewards": [1]}, "rewards is not supported"),
    "not learnt": ({"prompt": "q", "completion": "a", "label": True, "weight": 0}, "marked not to be learnt"),
}


@pytest.mark.parametrize(("row", "words"), REFUSED.values(), ids=REFUSED)
def test_a_row_that_judges_nothing_says_why(row: dict[str, Any], words: str) -> None:
    with pytest.raises(RowError) as refused:
        read(row)
    assert words in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "from", "value", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted({name for row in SHAPES.values() for name in row})), JSON, max_size=5))
def test_any_row_is_a_judgement_or_refused(row: dict[str, Any]) -> None:
    try:
        found = read(row)
    except RowError as refused:
        assert str(refused)
    else:
        assert found.prompt and found.answer[0].role == "assistant"
