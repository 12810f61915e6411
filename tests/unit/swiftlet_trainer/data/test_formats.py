import json
from typing import Any

import pytest
from swiftlet.api.finetunejob import Columns
from swiftlet_trainer.data.formats import Example, RowError, RowView, column_names, detect, unused_columns


def converted(row: dict[str, Any], columns: Columns | None = None) -> tuple[str, Example]:
    found = detect(row, columns)
    return found.name, found.convert(RowView(row, column_names(found, columns)))


USER, ASSISTANT = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
SYSTEM = {"role": "system", "content": "s"}


@pytest.mark.parametrize(
    ("row", "name", "messages"),
    [
        ({"messages": [USER, ASSISTANT]}, "messages", [USER, ASSISTANT]),
        ({"messages": json.dumps([USER, ASSISTANT])}, "messages", [USER, ASSISTANT]),
        ({"messages": [USER, ASSISTANT], "system": "s"}, "messages", [SYSTEM, USER, ASSISTANT]),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}]}, ASSISTANT]},
            "messages",
            [USER, ASSISTANT],
        ),
        (
            {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "system": "s"},
            "sharegpt",
            [SYSTEM, USER, ASSISTANT],
        ),
        ({"instruction": "q", "output": "a"}, "alpaca", [USER, ASSISTANT]),
        (
            {"instruction": "q", "input": "with", "output": "a", "history": [["q", "a"]]},
            "alpaca",
            [USER, ASSISTANT, {"role": "user", "content": "q\nwith"}, ASSISTANT],
        ),
        ({"prompt": "q", "completion": "a"}, "prompt_completion", [USER, ASSISTANT]),
        ({"query": "q", "response": "a"}, "prompt_completion", [USER, ASSISTANT]),
        ({"prompt": [USER], "completion": [ASSISTANT]}, "prompt_completion", [USER, ASSISTANT]),
    ],
)
def test_conversations_of_every_format(row: dict[str, Any], name: str, messages: list[dict[str, str]]) -> None:
    assert converted(row) == (name, Example(messages))


def test_plain_text() -> None:
    assert converted({"text": "words", "id": 3}) == ("text", Example([], "words"))


def test_columns_of_other_names() -> None:
    columns = Columns.model_validate({"prompt": "frage", "completion": "antwort"})
    row = {"frage": "q", "antwort": "a", "text": "not this"}
    assert converted(row, columns)[1] == Example([USER, ASSISTANT])
    columns = Columns.model_validate({"messages": "dialog", "role": "who", "content": "says"})
    turns = [{"who": "Human", "says": "q"}, {"who": "Bot", "says": "a"}]
    assert converted({"dialog": turns}, columns) == ("messages", Example([USER, ASSISTANT]))


def test_unknown_shape_lists_what_each_format_needs() -> None:
    with pytest.raises(RowError, match=r"columns question, answer are of no known format \(messages needs messages;"):
        detect({"question": "q", "answer": "a"}, None)


def test_column_name_that_the_format_does_not_have() -> None:
    columns = Columns.model_validate({"text": "body", "role": "who"})
    assert unused_columns(detect({"body": "words"}, columns), columns) == ["role"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"messages": "hello"}, "messages must be a list of turns as JSON"),
        ({"messages": {"role": "user"}}, "messages must be a list of turns, this is dict"),
        ({"messages": ["hello"]}, r"messages\[0\] must be an object, this is str"),
        ({"messages": [USER, {"role": "assistant"}]}, r"messages\[1\] has role, a turn needs role/from and content"),
        (
            {"messages": [{"role": "narrator", "content": "x"}]},
            r"messages\[0\].role is 'narrator'; use one of assistant",
        ),
        ({"messages": [{"role": "user", "content": 7}]}, r"messages\[0\].content must be text, this is int 7"),
        ({"messages": [{**ASSISTANT, "tool_calls": [{}]}]}, "tool_calls is not supported"),
        ({"prompt": "q", "completion": None}, "no column completion or response"),
        ({"text": 7}, "text must be text, this is int"),
        ({"instruction": "q", "output": "a", "history": ["x"]}, r"history\[0\] must be a pair"),
    ],
)
def test_rows_that_are_not_of_their_format(row: dict[str, Any], words: str) -> None:
    with pytest.raises(RowError, match=words):
        converted(row)
