"""Preference data in the shapes that others publish, and what is refused of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.api.v1alpha1.dataset import Columns
from swiftlet_trainer.data.examples import Preference
from swiftlet_trainer.data.formats import converted, detect, key_book
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.preferences import MARGINS, PREFERENCES
from swiftlet_trainer.data.turns import Turn

USER, SYSTEM = {"role": "user", "content": "Which?"}, {"role": "system", "content": "Be brief."}
GOOD, BAD, WORSE = ({"role": "assistant", "content": text} for text in ("This.", "That.", "None."))
LATER = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]


def read(row: dict[str, Any], **columns: str) -> Preference:
    named = Columns(**columns) if columns else None
    found = detect(row, named, PREFERENCES)
    return converted(row, found, named, key_book(found, named))


def turns(*messages: dict[str, str]) -> list[Turn]:
    return [Turn(one["role"], one["content"]) for one in messages]  # type: ignore[arg-type]


PAIR = Preference(turns(USER), turns(GOOD), [turns(BAD)])
SHAPES = {
    "TRL, prompt as text": {"prompt": "Which?", "chosen": "This.", "rejected": "That."},
    "TRL, prompt as turns": {"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]},
    "TRL, prompt within the answers": {"chosen": [USER, GOOD], "rejected": [USER, BAD]},
    "prompt beside whole conversations": {"prompt": "Which?", "chosen": [USER, GOOD], "rejected": [USER, BAD]},
    "a turn each": {"prompt": "Which?", "chosen": GOOD, "rejected": BAD},
    "ms-swift": {"messages": [USER, GOOD], "rejected_response": "That."},
    "ms-swift, turns": {"messages": [USER, GOOD], "rejected_messages": [USER, BAD]},
    "LLaMA-Factory, alpaca": {"instruction": "Which?", "input": "", "chosen": "This.", "rejected": "That."},
    "LLaMA-Factory, sharegpt": {
        "conversations": [{"from": "human", "value": "Which?"}],
        "chosen": {"from": "gpt", "value": "This."},
        "rejected": {"from": "gpt", "value": "That."},
    },
    "cells of CSV": {"prompt": "Which?", "chosen": json.dumps([GOOD]), "rejected": json.dumps([BAD])},
    "scores beside": {"prompt": "Which?", "chosen": "This.", "rejected": "That.", "score_chosen": 9.0},
    "query": {"query": "Which?", "chosen_response": "This.", "rejected_response": "That."},
}


@pytest.mark.parametrize("row", SHAPES.values(), ids=SHAPES)
def test_a_pair_is_a_pair_however_it_is_written(row: dict[str, Any]) -> None:
    assert read(row) == PAIR


@pytest.mark.parametrize("rejected", [["That.", "None."], [[BAD], [WORSE]], [[USER, BAD], [USER, WORSE]]])
def test_one_answer_may_be_preferred_to_several(rejected: Any) -> None:
    found = read({"prompt": "Which?", "chosen": "This.", "rejected": rejected})
    assert found == Preference(turns(USER), turns(GOOD), [turns(BAD), turns(WORSE)])


def test_answers_may_go_on_for_several_turns() -> None:
    found = read({"chosen": [USER, GOOD, *LATER], "rejected": [USER, BAD]})
    assert found == Preference(turns(USER), turns(GOOD, *LATER), [turns(BAD)])


def test_what_all_answers_begin_with_is_the_prompt() -> None:
    found = read({"chosen": [SYSTEM, USER, GOOD, *LATER], "rejected": [SYSTEM, USER, GOOD, LATER[0], BAD]})
    assert found == Preference(turns(SYSTEM, USER, GOOD, LATER[0]), turns(LATER[1]), [turns(BAD)])


@pytest.mark.parametrize("row", [{"prompt": "Which?"}, {"messages": [USER]}])
def test_the_system_and_the_history_come_first(row: dict[str, Any]) -> None:
    answers = {"chosen": "This.", "rejected": "That."}
    assert read({**row, **answers, "system": "Be brief."}).prompt == turns(SYSTEM, USER)
    earlier = {"prompt": "Which?", "history": [["Hello", "Yes?"]], **answers}
    assert [turn.content for turn in read(earlier).prompt] == ["Hello", "Yes?", "Which?"]


def test_columns_of_other_names() -> None:
    row = {"frage": "Which?", "gut": "This.", "schlecht": "That."}
    assert read(row, prompt="frage", chosen="gut", rejected="schlecht") == PAIR


REFUSED = {
    "no rejected": ({"prompt": "Which?", "chosen": "This."}, "preference needs rejected"),
    "no chosen": ({"prompt": "Which?", "rejected": "That."}, "no column chosen"),
    "no prompt": ({"chosen": "This.", "rejected": "That."}, "no prompt"),
    "prompts that differ": (
        {"chosen": [USER, GOOD], "rejected": [{"role": "user", "content": "What?"}, BAD]},
        "turn 0 is user 'Which?' in one answer and user 'What?' in another",
    ),
    "a prompt that differs from the answer's": (
        {"prompt": "What?", "chosen": [USER, GOOD], "rejected": [USER, BAD]},
        "chosen begins with user 'Which?', which is not the row's prompt",
    ),
    "questions that differ later": (
        {"chosen": [USER, GOOD, *LATER], "rejected": [USER, GOOD, USER, BAD]},
        "turn 2 is user 'Why?' in one answer and user 'Which?' in another",
    ),
    "two prompts": ({"messages": [USER], "prompt": "Which?", "chosen": "This.", "rejected": "That."}, "leave one"),
    "several chosen": ({"prompt": "Which?", "chosen": ["a", "b"], "rejected": "c"}, "chosen has 2 answers"),
    "nothing rejected": ({"prompt": "Which?", "chosen": "a", "rejected": []}, "rejected is empty"),
    "a number": ({"prompt": "Which?", "chosen": 3, "rejected": "b"}, "chosen must be text"),
    "an answer of the user": ({"prompt": "Which?", "chosen": [USER], "rejected": "b"}, "chosen has no answer"),
    "a margin": ({"prompt": "q", "chosen": "a", "rejected": "b", "margin": 2}, "margin is not supported"),
    "a label": ({"prompt": "q", "chosen": "a", "rejected": "b", "label": 1}, "label is not supported"),
    "tools": (
        {"prompt": "q", "chosen": "a", "rejected": "b", "tools": [{}, {"x": 1}]},
        "tools[0] is a tool without a name",
    ),
    "not learnt": ({"prompt": "q", "chosen": "a", "rejected": "b", "weight": 0}, "marked not to be learnt"),
    "a turn that is not learnt": (
        {"prompt": "q", "chosen": [{**GOOD, "weight": 0}], "rejected": "b"},
        "turn 0 of chosen is marked not to be learnt",
    ),
}


@pytest.mark.parametrize(("row", "words"), REFUSED.values(), ids=REFUSED)
def test_a_row_that_is_no_pair_says_why(row: dict[str, Any], words: str) -> None:
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
def test_any_row_is_a_pair_or_refused(row: dict[str, Any]) -> None:
    try:
        found = read(row)
    except RowError as refused:
        assert str(refused)
    else:
        assert found.prompt
        assert all(answer[0].role == "assistant" for answer in (found.chosen, *found.rejected))


def margin_of(**row: Any) -> float | None:
    pair = {"prompt": "Which?", "chosen": "This.", "rejected": "That.", **row}
    found = detect(pair, None, MARGINS)
    return converted(pair, found, None, key_book(found, None)).margin


@pytest.mark.parametrize(("margin", "expected"), [(1, 1.0), ("0.5", 0.5), (-2.5, -2.5), (None, None), ("", None)])
def test_a_margin_is_a_number(margin: Any, expected: float | None) -> None:
    assert margin_of(margin=margin) == expected
    assert margin_of() is None


@pytest.mark.parametrize("margin", [float("nan"), float("inf"), "much", True, [1]])
def test_a_margin_that_is_none_is_refused(margin: Any) -> None:
    with pytest.raises(RowError, match="margin must be a number"):
        margin_of(margin=margin)


def test_a_margin_is_for_the_task_that_learns_it() -> None:
    with pytest.raises(RowError, match=r"margin is not supported: .* task rm learns from"):
        read({"prompt": "Which?", "chosen": "This.", "rejected": "That.", "margin": 1})
