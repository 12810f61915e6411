"""Calls as lines with keywords."""

from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES

REACT, QWEN = AGENT_TEMPLATES["react_en"], AGENT_TEMPLATES["qwen_en"]
CALLS = (ToolCall("weather", {"city": "Bern"}), ToolCall("time", {}))


def test_calls_end_where_their_results_follow() -> None:
    text = REACT.answer(Turn("assistant", "I need both.", thought="Two tools.", calls=CALLS))
    assert text == (
        "Thought: Two tools.\nI need both.\n"
        'Action: weather\nAction Input: {"city": "Bern"}\nAction: time\nAction Input: {}\nObservation:'
    )
    assert REACT.results([Turn("tool", "rain"), Turn("tool", "noon\n")]) == "rain\nObservation:noon\n"
    assert QWEN.answer(Turn("assistant", "", calls=CALLS[1:])) == "✿FUNCTION✿: time\n✿ARGS✿: {}\n✿RESULT✿:"


def test_a_thought_alone_is_one_line() -> None:
    assert REACT.answer(Turn("assistant", "Final Answer: 4", thought="Easy.")) == "Thought: Easy.\nFinal Answer: 4"


def test_answers_of_models_are_read() -> None:
    found = REACT.parse('Thought: look\nAction: weather\nAction Input:\n{"city":\n "Bern"}\n')
    assert (found.calls, found.content, found.problems) == (CALLS[:1], "Thought: look", ())
    in_a_line = REACT.parse('I look. Action: weather Action Input: {"city": "Bern"} Observation:')
    assert (in_a_line.calls, in_a_line.content) == (CALLS[:1], "I look.")


def test_what_follows_an_imagined_result_is_not_believed() -> None:
    text = "Action: time\nAction Input: {}\nObservation: noon\nAction: weather\nAction Input: {}\n"
    found = REACT.parse(text)
    assert found.calls == CALLS[1:]
    assert found.problems == ("a result is imagined behind 'Observation:': 'noon'",)


def test_arguments_that_are_no_json_are_told() -> None:
    found = REACT.parse("Thought: go\nAction: time\nAction Input: at noon\nObservation:")
    assert (found.calls, found.content) == ((), "Thought: go")
    assert found.problems == (
        "the arguments of time are not read: 'at noon\\nObservation:' is no JSON: Expecting value",
    )
    assert REACT.parse("Action: \nAction Input: {}").problems == ("a call names no tool",)
    assert REACT.parse("Action: f\nAction Input: [1]").problems == (
        "the call of f has arguments that are no JSON object",
    )
