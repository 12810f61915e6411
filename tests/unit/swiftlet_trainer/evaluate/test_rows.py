"""Rows that are good, and what is said of those that are not."""

from typing import Any

import pytest
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
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who?"}]
    assert row == GenerationRow(turns, ["Apus"])


def test_own_system_message_stays(suite: Any) -> None:
    messages = [{"role": "system", "content": "Mine."}, {"role": "user", "content": "Who?"}]
    row = parse_row(suite(generation={"system": "Other."}), {"messages": messages, "answer": ["a", "b"]})
    assert row == GenerationRow(messages, ["a", "b"])


def test_perplexity_takes_text_or_messages(suite: Any) -> None:
    assert parse_row(suite(perplexity={}), {"text": "Rain."}) == PerplexityRow(text="Rain.")
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert parse_row(suite(perplexity={}), {"messages": messages}) == PerplexityRow(messages=messages)


def test_choice(suite: Any) -> None:
    row = parse_row(suite(multipleChoice={}), {"question": "2+2?", "choices": ["3", "4"], "answer": 1})
    assert row == ChoiceRow("2+2?", ["3", "4"], 1)


@pytest.mark.parametrize(
    ("block", "row", "problem"),
    [
        ({"generation": {}}, {"answer": "x"}, "exactly one of messages and prompt"),
        ({"generation": {}}, {"prompt": " ", "answer": "x"}, "prompt is ' '"),
        ({"generation": {}}, {"prompt": "Who?"}, "answer is None"),
        ({"generation": {}}, {"prompt": "Who?", "answer": []}, r"answer is \[\]"),
        ({"generation": {}}, {"prompt": "Who?", "answer": ["a", ""]}, "list of texts"),
        (
            {"generation": {}},
            {"messages": [{"role": "assistant", "content": "x"}], "answer": "x"},
            "must be the user's",
        ),
        ({"generation": {}}, {"messages": [{"role": "bot", "content": "x"}], "answer": "x"}, r"messages\[0\] is"),
        ({"perplexity": {}}, {"text": "a", "messages": []}, "exactly one of text and messages"),
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
