"""Calls as Hermes has them, as models write them."""

from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.templates.agents.hermes import HERMES


def test_calls_are_read_wherever_they_stand() -> None:
    text = (
        'So.<tool_call>{"name": "time"}</tool_call>and\n'
        '<tool_call>\n{"name": "time", "arguments": {"at": "</tool_call>"}}'
    )
    found = HERMES.parse(text)
    assert found.calls == (ToolCall("time", {}), ToolCall("time", {"at": "</tool_call>"}))
    assert (found.content, found.problems) == ("So.\nand", ())


def test_what_is_no_call_is_told() -> None:
    text = (
        "<tool_call>{'name': 'time'}</tool_call><tool_call>[1]</tool_call><tool_call>{}</tool_call>"
        '<tool_call>{"name": "time", "arguments": 3}</tool_call><tool_call>{"name": "time"} twice</tool_call>'
    )
    found = HERMES.parse(text)
    assert found.calls == ()
    assert found.problems == (
        "a call is not read: \"{'name': 'time'}</tool_call><tool_call>[\" is no JSON: Expecting property name enclosed"
        " in double quotes",
        "a call must be a JSON object, this is list",
        "a call names no tool",
        "the call of time has arguments that are no JSON object",
        "the call of time goes on behind its JSON with ' twice</tool_call>'",
    )


def test_a_call_that_is_only_thought_of_is_none() -> None:
    call = '<tool_call>\n{"name": "time", "arguments": {}}\n</tool_call>'
    found = HERMES.parse(f"<think>\nMaybe {call}?\n</think>\n\nNo.")
    assert (found.calls, found.content, found.thought) == ((), "No.", f"Maybe {call}?")
