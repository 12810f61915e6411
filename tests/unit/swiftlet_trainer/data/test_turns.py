"""Turns as chat templates take them."""

from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.data.turns import Turn


def test_a_turn_of_text_has_a_role_and_a_content_alone() -> None:
    assert Turn("user", "q").message == {"role": "user", "content": "q"}


def test_calls_thoughts_and_results_are_written_as_transformers_has_them() -> None:
    calls = (ToolCall("weather", {"place": "Bern"}, "call_1"), ToolCall("now", {}))
    assert Turn("assistant", "", thought="Hm.", calls=calls).message == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "Hm.",
        "tool_calls": [
            {"type": "function", "function": {"name": "weather", "arguments": {"place": "Bern"}}, "id": "call_1"},
            {"type": "function", "function": {"name": "now", "arguments": {}}},
        ],
    }
    assert Turn("tool", "mild", name="weather", call_id="call_1").message == {
        "role": "tool",
        "content": "mild",
        "name": "weather",
        "tool_call_id": "call_1",
    }
