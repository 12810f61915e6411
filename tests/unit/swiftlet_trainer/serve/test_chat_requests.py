"""Requests with tools: those that are answered, and what is told of the others."""

from typing import Any

import pytest
from pydantic import ValidationError
from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.serve.chat_requests import ChatRequest

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"place": "Bern"}'}}
USER: dict[str, Any] = {"role": "user", "content": "Bern?"}


def request(*turns: dict[str, Any], **fields: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "m", "messages": [*turns] or [USER], **fields})


def test_calls_and_results_are_turns_as_training_has_them() -> None:
    called = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "mild"}]}
    assert [turn.said() for turn in request(USER, called, result, tools=TOOLS).messages] == [
        Turn("user", "Bern?"),
        Turn("assistant", "", calls=(ToolCall("weather", {"place": "Bern"}, "call_1"),)),
        Turn("tool", "mild", call_id="call_1"),
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [({}, ["weather"]), ({"tool_choice": "auto"}, ["weather"]), ({"tool_choice": "none"}, []), ({"tools": []}, [])],
)
def test_a_model_is_told_of_tools_that_it_may_call(fields: dict[str, Any], told: list[str]) -> None:
    assert [tool["function"]["name"] for tool in request(**{"tools": TOOLS, **fields}).callable_tools] == told


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tool_choice": {"type": "function", "function": {"name": "time"}}}, "'time' is none of them (weather)"),
        ({"tool_choice": "required", "tools": []}, "there are none"),
        ({"tool_choice": "perhaps"}, "tool_choice"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0] is a tool without a name"),
        ({"tools": [{"type": "web_search", "name": "w"}]}, "tools[0] must describe a function"),
        ({"tools": [*TOOLS, {"name": "weather", "parameters": {}}]}, "describes weather otherwise"),
        ({"functions": TOOLS}, "functions"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_field(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        request(**{"tools": TOOLS, **fields})
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        ({"role": "user", "content": "x", "tool_calls": [CALL]}, "tool_calls: the user has none"),
        ({"role": "assistant", "content": "x", "tool_call_id": "c"}, "tool_call_id: the assistant has none"),
        ({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}, "malformed JSON"),
        ({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "5"}}]}, "must be an object"),
        ({"role": "tool"}, "content"),
    ],
)
def test_a_turn_that_is_none_is_refused(turn: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        request(USER, turn)
    assert told in str(caught.value)
