import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from swiftlet.api.v1alpha1.dataset import Columns
from swiftlet_trainer.data.examples import Example
from swiftlet_trainer.data.formats import FORMATS, converted, detect, key_book, unused_columns
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.turns import LARGEST_WEIGHT


def read(row: dict[str, Any], columns: Columns | None = None) -> tuple[str, Example]:
    found = detect(row, columns, FORMATS)
    return found.name, converted(row, found, columns, key_book(found, columns))


def said(example: Example) -> list[dict[str, str]]:
    return [turn.message for turn in example.turns]


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
    found, example = read(row)
    assert (found, said(example)) == (name, messages)


def test_plain_text() -> None:
    assert read({"text": "words", "id": 3}) == ("text", Example([], "words"))


def test_columns_of_other_names() -> None:
    columns = Columns.model_validate({"prompt": "frage", "completion": "antwort"})
    row = {"frage": "q", "antwort": "a", "text": "not this"}
    assert said(read(row, columns)[1]) == [USER, ASSISTANT]
    columns = Columns.model_validate({"messages": "dialog", "role": "who", "content": "says"})
    turns = [{"who": "Human", "says": "q"}, {"who": "Bot", "says": "a"}]
    assert said(read({"dialog": turns}, columns)[1]) == [USER, ASSISTANT]


def test_unknown_shape_lists_what_each_format_needs() -> None:
    with pytest.raises(RowError, match=r"columns question, answer are of no known format \(messages needs messages;"):
        detect({"question": "q", "answer": "a"}, None, FORMATS)


def test_column_name_that_the_format_does_not_have() -> None:
    columns = Columns.model_validate({"text": "body", "role": "who"})
    assert unused_columns(detect({"body": "words"}, columns, FORMATS), columns) == ["role"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"messages": "hello"}, "messages must be a list of turns as JSON"),
        ({"messages": {"role": "user"}}, "messages must be a list of turns, this is dict"),
        ({"messages": ["hello"]}, r"messages\[0\] must be an object, this is str"),
        ({"messages": [USER, {"role": "assistant"}]}, r"messages\[1\] has role, a turn needs role/from and content"),
        (
            {"messages": [{"role": "narrator", "content": "x"}]},
            r"messages\[0\].role is str 'narrator'; use one of ai, assistant",
        ),
        ({"messages": [{"role": "user", "content": 7}]}, r"messages\[0\].content must be text, this is int 7"),
        ({"messages": [{**ASSISTANT, "tool_calls": [{}]}]}, r"messages\[0\].tool_calls\[0\] names no tool"),
        ({"prompt": "q", "completion": None}, "no column completion or response"),
        ({"text": 7}, "text must be text, this is int"),
        ({"instruction": "q", "output": "a", "history": ["x"]}, r"history\[0\] must be a pair"),
        ({"instruction": "q", "output": "a", "history": 7}, "history must be a list of pairs"),
        ({"messages": [{**USER, "value": "other"}, ASSISTANT]}, r"messages\[0\] has both content and value"),
        ({"prompt": "q", "query": "p", "completion": "a"}, "the row has both prompt and query"),
        ({"messages": [SYSTEM, USER, ASSISTANT], "system": "other"}, "are both of the system"),
        ({"messages": [USER, {"role": "assistant", "content": None}]}, r"messages\[1\] has role, a turn needs"),
        ({"messages": [USER, {"role": "assistant", "content": []}]}, r"content must be text, this is list \[\]"),
        ({"messages": [{"role": "function_call", "content": "{}"}]}, "a call of a tool needs its name and arguments"),
        (
            {"messages": [{"role": "user", "content": "\ud83d"}]},
            r"content has half of a surrogate pair \(.ud83d at char",
        ),
        ({"text": "a smile \ud83d"}, r"text has half of a surrogate pair \(.ud83d at character 9\)"),
        ({"text": float("inf")}, "text must be text, this is float inf"),
    ],
)
def test_rows_that_are_not_of_their_format(row: dict[str, Any], words: str) -> None:
    with pytest.raises(RowError, match=words):
        read(row)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        ([{"type": "text", "value": "a"}], "a"),
        ([{"type": "input_text", "text": "a"}], "a"),
        ([{"text": "a", "type": None, "image": None}], "a"),
        ([{"type": "text", "text": None, "value": "a"}], "a"),
        ({"type": "text", "text": "a"}, "a"),
        ([{"type": "text", "text": {"value": "a", "annotations": []}}], "a"),
        (["a", "b"], "ab"),
        ([{"type": "text", "text": ""}, "a"], "a"),
    ],
)
def test_text_of_every_shape_is_read(content: Any, text: str) -> None:
    _, example = read({"messages": [{"role": "user", "content": content}, ASSISTANT]})
    assert example.turns[0].content == text


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"type": "text"}, "a part needs text/value/content"),
        ({"type": "text", "text": None}, "a part needs text"),
        ({"type": "text", "words": "a"}, "a part needs text"),
        ({"type": "image_url", "image_url": {"url": "x"}}, "image_url' is not supported: pictures"),
        ({"type": "image"}, "type str 'image' is not supported: pictures"),
        ({"type": "tool_call", "value": "x"}, "is not supported here: calls are tool_use"),
        ({"type": "reasoning", "value": "x"}, "is not supported here: thoughts are"),
        ({"type": "poem", "text": "x"}, "is not one of text, input_text, output_text"),
        ({"type": "text", "text": "a", "value": "b"}, "has both text and value"),
        (7, "must be text, this is int 7"),
        ({"type": "text", "text": 7}, "must be text, this is int 7"),
        ({}, "has nothing, a part needs"),
    ],
)
def test_parts_without_text_are_never_empty_texts(part: Any, words: str) -> None:
    with pytest.raises(RowError, match=words):
        read({"messages": [{"role": "user", "content": [part]}, ASSISTANT]})


def test_structs_of_parquet_with_keys_of_two_shapes() -> None:
    human = {"from": "human", "value": "q", "role": None, "content": None, "weight": None}
    bot = {"from": None, "value": None, "role": "assistant", "content": "a", "weight": float("nan")}
    row = {"messages": None, "conversations": [human, bot], "tools": None, "system": None}
    assert read(row)[0] == "sharegpt" and said(read(row)[1]) == [USER, ASSISTANT]


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.just("\ud83d"))
WORDS = st.sampled_from(
    [*"abc", "role", "from", "content", "value", "text", "type", "user", "gpt", "assistant", "weight"]
)
VALUES = st.recursive(
    st.one_of(SCALARS, WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(WORDS, st.text(max_size=3)), inner, max_size=4)
    ),
    max_leaves=12,
)
COLUMNS = st.sampled_from(
    [
        "messages",
        "conversations",
        "prompt",
        "completion",
        "instruction",
        "output",
        "text",
        "history",
        "system",
        "loss_mask",
        "input",
        "tools",
        "x",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(COLUMNS, VALUES, max_size=5))
def test_whatever_a_row_holds_it_is_read_or_refused(row: dict[str, Any]) -> None:
    try:
        _, example = read(row)
    except RowError as error:
        assert str(error)
        return
    for turn in example.turns:
        assert turn.content.encode() is not None and (turn.weight is None or 0 <= turn.weight <= LARGEST_WEIGHT)
    assert (example.text is None) == bool(example.turns) or example.turns == []


def test_nesting_that_python_cannot_follow_is_refused() -> None:
    deep: Any = "a"
    for _ in range(100_000):
        deep = [deep]
    for row in ({"text": deep}, {"text": "a", "tools": deep}, {"messages": deep}):
        with pytest.raises(RowError, match=r"nested too deeply|tools is not supported|must be an object"):
            read(row)
    # Taken apart by hand: freeing it in one go would recurse as well on some versions of Python.
    while isinstance(deep, list):
        deep = deep.pop()
