"""Hermes as Qwen2.5's own chat template writes it."""

from importlib.resources import files

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.hermes import HERMES
from transformers.utils.chat_template_utils import render_jinja_template

TOOLS: list[Tool] = [
    {
        "type": "function",
        "function": {"name": name, "description": f"Gets the {name}.", "parameters": {"type": "object"}},
    }
    for name in ("weather", "time")
]
CALLS = (ToolCall("weather", {"city": "Zürich", "days": 2}), ToolCall("time", {}))
TURNS = [
    Turn("system", "Be brief."),
    Turn("user", "What is it like?"),
    Turn("assistant", "I look.", calls=CALLS),
    Turn("tool", "20 degrees"),
    Turn("tool", "noon"),
    Turn("assistant", "Warm."),
]


def test_it_is_what_the_chat_template_of_qwen_writes() -> None:
    own = files("trl").joinpath("chat_templates/qwen2_5.jinja").read_text()
    (expected,), _ = render_jinja_template(
        conversations=[[turn.message for turn in TURNS]], tools=[dict(tool) for tool in TOOLS], chat_template=own
    )
    plain = [
        ("system", HERMES.introduced(TOOLS, "Be brief.")),
        ("user", "What is it like?"),
        ("assistant", HERMES.answer(TURNS[2])),
        ("user", HERMES.results(TURNS[3:5])),
        ("assistant", "Warm."),
    ]
    assert expected == "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in plain)


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
