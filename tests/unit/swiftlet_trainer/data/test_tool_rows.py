"""Rows with tools: every form in use comes down to the same example, and what is wrong in them is said."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet_trainer.data.examples import Example, Judgement, Preference
from swiftlet_trainer.data.formats import FORMATS, converted, detect, key_book
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.known_formats import FORMATS_OF
from swiftlet_trainer.data.readers import Row, read_rows
from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.data.turns import Turn

SCHEMA = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
FUNCTION = {"name": "weather", "description": "Tells it.", "parameters": SCHEMA}
TOOL = {"type": "function", "function": FUNCTION}
NOW = {"type": "function", "function": {"name": "now", "description": "The time."}}
ASKED = {"role": "user", "content": "q"}
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"place": "Bern"}'}}],
}
RESULT = {"role": "tool", "content": "mild", "tool_call_id": "c1"}
SAID = {"role": "assistant", "content": "Mild."}
ROW = {"tools": [TOOL], "messages": [ASKED, CALLED, RESULT, SAID]}


def read(row: Mapping[str, Any], shape: Any = "example") -> Any:
    found = detect(row, None, FORMATS_OF[shape])
    return converted(row, found, None, key_book(found, None))


def messages(*turns: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": list(turns), **more}


def called(**call: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call}]}


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
CALLS = st.lists(st.dictionaries(st.sampled_from(["place", "day"]), VALUES, max_size=2), min_size=1, max_size=3)
TWO = {"type": "object", "properties": {"place": {"type": "string"}, "day": {"type": "integer"}}}
DESCRIBED = {"name": "weather", "description": "Tells it.", "parameters": TWO}


def forms(system: str, arguments: list[dict[str, Any]], results: list[str], said: str, answer: str) -> dict[str, Any]:
    """One conversation as each form writes it. Ids are those that are made where a form has none."""
    ids = [f"call{number:05}" for number in range(len(arguments))]
    named = [{"name": "weather", "arguments": one} for one in arguments]
    one_each = list(zip(ids, results, strict=True))
    openai = [{"id": number, "type": "function", "function": call} for number, call in zip(ids, named, strict=True)]
    as_text = [
        {**one, "function": {**one["function"], "arguments": json.dumps(one["function"]["arguments"])}}
        for one in openai
    ]
    before, question = {"role": "system", "content": system}, {"role": "user", "content": "Well?"}
    after = {"role": "assistant", "content": answer}
    tools = [{"type": "function", "function": DESCRIBED}]
    told = [{"role": "tool", "content": text, "tool_call_id": number} for number, text in one_each]

    def sharegpt(call: list[dict[str, str]], result: str) -> dict[str, Any]:
        turns = [{"from": "human", "value": "Well?"}, {"from": "gpt", "value": said}, *call]
        turns += [{"from": result, "value": text} for text in results]
        listed = json.dumps([DESCRIBED])
        return {"conversations": [*turns, {"from": "gpt", "value": answer}], "system": system, "tools": listed}

    blocks = [{"type": "text", "text": said}]
    blocks += [
        {"type": "tool_use", "id": n, "name": "weather", "input": one} for n, one in zip(ids, arguments, strict=True)
    ]
    met = [
        {"type": "tool_result", "tool_use_id": n, "content": [{"type": "text", "text": text}]} for n, text in one_each
    ]
    anthropic = {key: one for key, one in DESCRIBED.items() if key != "parameters"} | {"input_schema": TWO}
    each = [{"from": "function_call", "value": json.dumps(call)} for call in named]
    found: dict[str, Any] = {
        "openai": messages(
            before, question, {**after, "content": said, "tool_calls": openai}, *told, after, tools=tools
        ),
        "texts": messages(
            before, question, {**after, "content": said, "tool_calls": as_text}, *told, after, tools=json.dumps(tools)
        ),
        "swift": messages(
            before,
            question,
            {"role": "assistant", "content": said},
            *({"role": "tool_call", "content": json.dumps(call)} for call in named),
            *({"role": "tool_response", "content": text} for text in results),
            after,
            tools=json.dumps(tools),
        ),
        "sharegpt": sharegpt(each, "observation"),
        "llama factory": sharegpt([{"from": "function_call", "value": json.dumps(named)}], "observation"),
        "anthropic": {
            "system": [{"type": "text", "text": system}],
            "tools": [anthropic],
            "messages": [question, {"role": "assistant", "content": blocks}, {"role": "user", "content": met}, after],
        },
    }
    if len(named) == 1:
        older = {"role": "function", "name": "weather", "content": results[0]}
        first = {**named[0], "arguments": json.dumps(arguments[0])}
        turns = [before, question, {**after, "content": said, "function_call": first}, older, after]
        found["older"] = {"messages": turns, "functions": [DESCRIBED]}
    return found


@given(TEXTS, CALLS, st.data(), TEXTS, TEXTS)
def test_every_form_says_the_same(system: str, calls: list[dict[str, Any]], data: Any, said: str, answer: str) -> None:
    results = [data.draw(TEXTS) for _ in calls]
    expected = Example(
        [
            Turn("system", system),
            Turn("user", "Well?"),
            Turn(
                "assistant",
                said,
                calls=tuple(ToolCall("weather", one, f"call{number:05}") for number, one in enumerate(calls)),
            ),
            *(Turn("tool", text, name="weather", call_id=f"call{number:05}") for number, text in enumerate(results)),
            Turn("assistant", answer),
        ],
        tools=({"type": "function", "function": DESCRIBED},),
    )
    for name, row in forms(system, calls, results, said, answer).items():
        assert read(json.loads(json.dumps(row))) == expected, name


def test_xlam() -> None:
    described = {"place": {"description": "Where.", "type": "str"}, "days": {"type": "List[int], optional"}}
    tools = [{"name": "weather", "description": "Tells it.", "parameters": described}]
    answers = [{"name": "weather", "arguments": {"place": "Bern"}}, {"name": "weather", "arguments": {"place": "Chur"}}]
    found = read({"id": 1, "query": "q", "tools": json.dumps(tools), "answers": json.dumps(answers)})
    assert [(turn.role, turn.content) for turn in found.turns] == [("user", "q"), ("assistant", "")]
    assert [call.arguments for call in found.turns[1].calls] == [{"place": "Bern"}, {"place": "Chur"}]
    assert found.tools[0]["function"]["parameters"] == {
        "type": "object",
        "properties": {"place": {"description": "Where.", "type": "string"}, "days": {"type": "array"}},
        "required": ["place"],
    }


def test_hermes_is_text_already() -> None:
    row = {
        "tools": json.dumps([TOOL]),
        "conversations": [
            {"from": "system", "value": f"Use <tools>{json.dumps(TOOL)}</tools>."},
            {"from": "human", "value": "q"},
            {"from": "gpt", "value": '<tool_call>\n{"name": "weather", "arguments": {}}\n</tool_call>'},
            {"from": "tool", "value": "<tool_response>\nmild\n</tool_response>"},
            {"from": "gpt", "value": "Mild."},
        ],
    }
    found = read(row)
    assert [turn.content for turn in found.turns] == [one["value"] for one in row["conversations"]]  # type: ignore[index]
    assert found.tools == () and not any(turn.calls for turn in found.turns)


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
def test_thoughts_beside_the_content(key: str) -> None:
    assert read(messages(ASKED, {**SAID, key: "Hm."})).turns[1] == Turn("assistant", "Mild.", thought="Hm.")
    assert read(messages(ASKED, {**SAID, key: " "})).turns[1].thought is None
    with pytest.raises(RowError, match="has a thought, which only the assistant has"):
        read(messages({**ASKED, key: "Hm."}, SAID))


def test_thoughts_in_blocks_and_before_calls() -> None:
    blocks = [{"type": "thinking", "thinking": "Hm.", "signature": "x"}, {"type": "text", "text": "Mild."}]
    assert read(messages(ASKED, {"role": "assistant", "content": blocks})).turns[1].thought == "Hm."
    call = {"role": "tool_call", "content": '<think>Hm.</think>{"name": "now"}'}
    assert read(messages(ASKED, call)).turns[1] == Turn(
        "assistant", "", thought="Hm.", calls=(ToolCall("now", {}, "call00000"),)
    )
    with pytest.raises(RowError, match=r"content\[1\] stands behind text; a turn has thoughts, then text"):
        read(messages(ASKED, {"role": "assistant", "content": blocks[::-1]}))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a call without a name": (messages(ASKED, called(arguments={})), r"messages\[1\].tool_calls\[0\] names no tool"),
    "a call with an empty name": (messages(ASKED, called(name=" ")), "names no tool"),
    "a call of no tool of the row": (
        messages(ASKED, called(name="fly", arguments={}), tools=[TOOL]),
        r"turn 1 calls 'fly', which is none of the row's tools \(weather\).*give the turn weight 0",
    ),
    "arguments that are no JSON": (
        messages(ASKED, called(name="weather", arguments="{place: Bern}")),
        r"tool_calls\[0\].arguments must be arguments as JSON.*malformed JSON at column 2",
    ),
    "arguments without names": (messages(ASKED, called(name="weather", arguments=["Bern"])), "must be an object"),
    "NaN among arguments": (
        messages(ASKED, called(name="weather", arguments={"place": float("nan")})),
        "cannot be written as JSON",
    ),
    "half a character": (messages(ASKED, called(name="weather", arguments={"place": "\ud83d"})), "surrogate pair"),
    "a result of nothing": (messages(ASKED, RESULT, SAID), "turn 1 is a result of call c1 without a call"),
    "a result of another call": (
        messages(ASKED, CALLED, {**RESULT, "tool_call_id": "c9"}, SAID),
        r"turn 2 is a result of call c9 without a call.*weather \(c1\)",
    ),
    "more results than calls": (messages(ASKED, CALLED, RESULT, RESULT, SAID), "turn 3 is a result of call c1"),
    "a result of another tool": (
        messages(ASKED, CALLED, {**RESULT, "name": "now"}, SAID),
        "turn 2 is a result of call c1 without a call",
    ),
    "two systems": (
        messages({"role": "system", "content": "a"}, {"role": "system", "content": "b"}, ASKED, SAID),
        "the first two turns are both of the system",
    ),
    "a tool in two ways": (
        messages(ASKED, SAID, tools=[TOOL, {**TOOL, "function": {"name": "weather"}}]),
        r"tools\[1\] describes weather otherwise",
    ),
    "a tool without a name": (messages(ASKED, SAID, tools=[{"type": "function", "function": {}}]), "without a name"),
    "tools that are no JSON": (messages(ASKED, SAID, tools="weather"), "tools must be a list of tools as JSON"),
    "a tool of the server": (messages(ASKED, SAID, tools=[{"type": "web_search"}]), "must describe a function"),
    "a call of the user": (messages({**ASKED, "tool_calls": CALLED["tool_calls"]}, SAID), "only the assistant has"),
    "calls in two places": (
        messages(ASKED, {**CALLED, "content": [{"type": "tool_use", "id": "1", "name": "now", "input": {}}]}),
        "has calls in its content and beside it",
    ),
    "a call marked otherwise": (
        messages(ASKED, {**SAID, "weight": 0}, {"role": "tool_call", "content": '{"name": "now"}'}),
        "turn 2 is a call in the answer before it, and is marked otherwise",
    ),
    "tools of a text": ({"text": "words", "tools": [TOOL]}, "tools is not supported: tools are called in turns"),
}


@pytest.mark.parametrize(("row", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said(row: dict[str, Any], words: str) -> None:
    with pytest.raises(RowError, match=words):
        read(row)


def test_a_tool_that_is_given_twice_alike_counts_once() -> None:
    assert read(messages(ASKED, SAID, tools=[TOOL, NOW, TOOL])).tools == (TOOL, NOW)


def test_calls_that_are_not_learnt_may_be_of_any_tool() -> None:
    row = messages(ASKED, {**called(name="fly", arguments={}), "weight": 0}, {"role": "tool", "content": "no"}, SAID)
    assert read({**row, "tools": [TOOL]}).turns[1].calls[0].name == "fly"


def test_answers_that_are_compared_may_call(tmp_path: Path) -> None:
    before = [ASKED, CALLED, RESULT, {"role": "user", "content": "And?"}]
    good, bad = called(name="weather", arguments={"place": "Chur"}), called(name="fly", arguments={})
    pair: Preference = read({"prompt": before, "chosen": [good], "rejected": [bad], "tools": [TOOL]}, "preference")
    assert pair.tools == (TOOL,) and pair.prompt[2].name == "weather"
    assert (pair.chosen[0].calls[0].id, pair.rejected[0][0].calls[0].name) == ("call00001", "fly")
    judged: Judgement = read(messages(*before, good, label=True, tools=[TOOL]), "judgement")
    assert judged.answer == pair.chosen and judged.tools == (TOOL,)
    with pytest.raises(RowError, match="calls 'fly', which is none of the row's tools"):
        read({"prompt": before, "chosen": [bad], "rejected": [good], "tools": [TOOL]}, "preference")


def test_texts_that_are_compared_do_not_call() -> None:
    with pytest.raises(RowError, match="calls tools or thinks"):
        read({"query": "q", "positive": called(name="now"), "negative": "b"}, "relevance")


def test_tables_keep_absent_keys_absent(tmp_path: Path) -> None:
    other = {
        "type": "function",
        "function": {"name": "now", "parameters": {"properties": {"zone": {"type": "string"}}}},
    }
    second = messages(ASKED, called(name="now", arguments={"zone": "UTC"}), tools=[other])
    first = messages(ASKED, called(name="weather", arguments={"place": "Bern"}), tools=[TOOL])
    file = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist([first, second]), file)
    rows = [read(row.columns) for row in read_rows(file) if isinstance(row, Row)]
    assert [row.tools for row in rows] == [(TOOL,), (other,)]
    assert [row.turns[1].calls[0].arguments for row in rows] == [{"place": "Bern"}, {"zone": "UTC"}]


def test_nulls_that_a_table_left_in_json_are_absent_too() -> None:
    filled = {**SCHEMA, "properties": {"place": {"type": "string", "enum": None}, "zone": None}}
    call = called(name="weather", arguments={"place": None, "zone": None})
    found = read(messages(ASKED, call, tools=[{"type": "function", "function": {**FUNCTION, "parameters": filled}}]))
    assert found.tools == (TOOL,)
    assert found.turns[1].calls[0].arguments == {"place": None}  # null is a value of what the tool knows
    nullable = {**SCHEMA, "properties": {"place": {"type": "string", "default": None}}}
    kept = read(messages(ASKED, SAID, tools=[{**FUNCTION, "parameters": nullable}])).tools[0]
    assert kept["function"]["parameters"] == nullable


def test_placeholders_are_filled_in_calls_thoughts_and_tools() -> None:
    turn = {**called(name="weather", arguments={"place": ["{{TOWN}}"]}), "reasoning": "In {{TOWN}}."}
    tool = {**FUNCTION, "description": "Of {{TOWN}}."}
    found = read(messages(ASKED, turn, tools=[tool])).filled({"TOWN": "Bern"})
    assert found.turns[1].calls[0].arguments == {"place": ["Bern"]} and found.turns[1].thought == "In Bern."
    assert found.tools[0]["function"]["description"] == "Of Bern."


def test_every_shape_that_has_turns_has_tools() -> None:
    assert all("tools" in one.columns for name, one in FORMATS.items() if name != "text")
