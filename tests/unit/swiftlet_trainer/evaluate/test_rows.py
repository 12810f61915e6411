"""Rows that are good, and what is said of those that are not."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swiftlet_trainer.data.examples import Preference, Relevance
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.evaluate.rows import (
    ChoiceRow,
    GenerationRow,
    PerplexityRow,
    UnusableRowError,
    filled,
    parse_row,
)


def test_prompt_becomes_a_user_turn_under_the_system_message(suite: Any) -> None:
    row = parse_row(suite(generation={"system": "Be brief."}), {"prompt": "Who?", "answer": "Apus"})
    turns = [Turn("system", "Be brief."), Turn("user", "Who?")]
    assert row == GenerationRow(turns, ["Apus"])


def test_own_system_message_stays(suite: Any) -> None:
    messages = [{"role": "system", "content": "Mine."}, {"role": "user", "content": "Who?"}]
    row = parse_row(suite(generation={"system": "Other."}), {"messages": messages, "answer": ["a", "b"]})
    assert row == GenerationRow([Turn("system", "Mine."), Turn("user", "Who?")], ["a", "b"])


def test_perplexity_takes_text_or_messages(suite: Any) -> None:
    assert parse_row(suite(perplexity={}), {"text": "Rain."}) == PerplexityRow(text="Rain.")
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert parse_row(suite(perplexity={}), {"messages": messages}) == PerplexityRow(
        turns=[Turn("user", "Hi"), Turn("assistant", "Hello")]
    )


def test_preference(suite: Any) -> None:
    """In the shapes that training reads."""
    expected = Preference([Turn("user", "q")], [Turn("assistant", "a")], [[Turn("assistant", "b")]])
    for row in (
        {"prompt": "q", "chosen": "a", "rejected": "b"},
        {
            "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
            "rejected_response": "b",
        },
    ):
        assert parse_row(suite(preference={}), row) == expected


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"prompt": "q", "chosen": "a", "rejected": "a"}, "chosen and rejected are the same"),
        ({"prompt": "q", "chosen": "a", "rejected": ["b", " "]}, "an answer is empty"),
        ({"prompt": "q", "chosen": "a"}, "preference needs rejected"),
    ],
)
def test_a_row_that_compares_nothing_is_refused(suite: Any, row: Any, words: str) -> None:
    with pytest.raises(UnusableRowError) as refused:
        parse_row(suite(preference={}), row)
    assert words in str(refused.value)


def test_retrieval(suite: Any) -> None:
    """In the shapes that training reads."""
    row = {"query": "q", "positive": "a", "negative": "b"}
    assert parse_row(suite(retrieval={}), row) == Relevance("q", ["a", "b"], [1.0, 0.0])


@pytest.mark.parametrize("row", [{"query": "q", "docs": ["a"], "labels": [0]}, {"query": "q", "pos": "a", "label": 0}])
def test_a_query_that_finds_nothing_is_refused(suite: Any, row: Any) -> None:
    with pytest.raises(UnusableRowError, match="no document is relevant"):
        parse_row(suite(retrieval={}), row)


def test_choice(suite: Any) -> None:
    row = parse_row(suite(multipleChoice={}), {"question": "2+2?", "choices": ["3", "4"], "answer": 1})
    assert row == ChoiceRow("2+2?", ["3", "4"], 1)


@pytest.mark.parametrize(
    ("block", "row", "problem"),
    [
        ({"generation": {}}, {"answer": "x"}, "exactly one of messages and prompt"),
        ({"generation": {}}, {"prompt": " ", "answer": "x"}, "prompt is ' '"),
        ({"generation": {}}, {"prompt": "Who?"}, "answer is NoneType None"),
        ({"generation": {}}, {"prompt": "Who?", "answer": []}, r"answer is list \[\]"),
        ({"generation": {}}, {"prompt": "Who?", "answer": ["a", ""]}, "list of texts"),
        ({"generation": {}}, {"prompt": "Who?", "answer": "\u200b"}, "give the expected text"),
        (
            {"generation": {}},
            {"messages": [{"role": "assistant", "content": "x"}], "answer": "x"},
            "must be the user's",
        ),
        (
            {"generation": {}},
            {"messages": [{"role": "judge", "content": "x"}], "answer": "x"},
            r"messages\[0\].role is",
        ),
        (
            {"perplexity": {}},
            {"text": "a", "messages": [{"role": "user", "content": "x"}]},
            "exactly one of text and messages",
        ),
        ({"perplexity": {}}, {"messages": [{"role": "user", "content": "x"}]}, "no assistant turn"),
        ({"multipleChoice": {}}, {"question": "q", "choices": ["a"], "answer": 0}, "at least two texts"),
        ({"multipleChoice": {}}, {"question": "q", "choices": ["a", "b"], "answer": 2}, "0 to 1"),
        ({"multipleChoice": {}}, {"question": "q", "choices": ["a", "b"], "answer": True}, "index of the right choice"),
        ({"multipleChoice": {}}, {"choices": ["a", "b"], "answer": 1}, "question is missing"),
    ],
)
def test_bad_rows_name_the_rule(suite: Any, block: dict[str, Any], row: dict[str, Any], problem: str) -> None:
    with pytest.raises(UnusableRowError, match=problem):
        parse_row(suite(**block), row)


def test_placeholders_are_filled_at_every_depth() -> None:
    row = {"messages": [{"content": "{{NAME}}?"}], "answer": ["{{NAME}}"], "index": 3}
    assert filled(row, {"NAME": "Apus"}) == {"messages": [{"content": "Apus?"}], "answer": ["Apus"], "index": 3}


def test_placeholder_without_a_value_is_named() -> None:
    with pytest.raises(UnusableRowError, match=r"\{\{AUTHOR\}\} has no value; add AUTHOR"):
        filled({"answer": "{{AUTHOR}}"}, {"NAME": "Apus"})


CHAT = [Turn("user", "Hi"), Turn("assistant", "Hello")]


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {"role": "model", "content": "Hello"},
            ]
        },
        {"prompt": "Hi", "completion": "Hello"},
        {"instruction": "Hi", "output": "Hello"},
        {"messages": '[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]', "id": 1},
    ],
)
def test_every_shape_that_trains_is_scored(suite: Any, row: dict[str, Any]) -> None:
    assert parse_row(suite(perplexity={}), row) == PerplexityRow(turns=CHAT)


@pytest.mark.parametrize(
    "asked",
    [
        {"conversations": [{"from": "human", "value": "Hi"}]},
        {"messages": [{"role": "user", "content": ["Hi"]}], "system": None},
        {"prompt": [{"role": "user", "content": "Hi"}], "messages": None},
        {"prompt": [{"type": "text", "text": "Hi"}], "label": "x"},
    ],
)
def test_questions_of_every_shape(suite: Any, asked: dict[str, Any]) -> None:
    assert parse_row(suite(generation={}), {**asked, "answer": "x"}) == GenerationRow(CHAT[:1], ["x"])
    asked = {{"prompt": "question"}.get(key, key): value for key, value in asked.items()}
    assert parse_row(suite(multipleChoice={}), {**asked, "choices": ["a", "b"], "answer": 0}) == ChoiceRow(
        "Hi", ["a", "b"], 0
    )


def test_roles_are_those_of_training(suite: Any) -> None:
    messages = [
        {"role": "developer", "content": "d"},
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a"},
    ]
    row = parse_row(suite(generation={}), {"messages": [*messages, {"role": "tool", "content": "t"}], "answer": "x"})
    assert row == GenerationRow(
        [Turn("system", "d"), Turn("user", "q"), Turn("assistant", "a"), Turn("tool", "t")], ["x"]
    )


@pytest.mark.parametrize("key", ["tool_choice", "images", "chat_template_kwargs"])
def test_keys_that_training_refuses_are_refused(suite: Any, key: str) -> None:
    for block, row in (("generation", {"prompt": "q", "answer": "a"}), ("perplexity", {"text": "words"})):
        with pytest.raises(UnusableRowError, match=f"{key} is not supported"):
            parse_row(suite(**{block: {}}), {**row, key: ["x"]})


KEYS = ["messages", "conversations", "prompt", "question", "answer", "choices", "text", "system", "completion"]
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just("\ud83d")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["role", "content", "from", "value", "text", "x"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5))
def test_whatever_a_row_holds_it_is_read_or_refused(suite: Any, row: dict[str, Any]) -> None:
    for block in ("generation", "perplexity", "multipleChoice"):
        try:
            found = parse_row(suite(**{block: {}}), row)
        except UnusableRowError as error:
            assert str(error)
        else:
            assert isinstance(found, GenerationRow | PerplexityRow | ChoiceRow)
