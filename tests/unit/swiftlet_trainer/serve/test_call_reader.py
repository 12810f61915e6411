"""Calls in answers, told from their text while it comes, in whatever pieces."""

import pytest
from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.serve.call_reader import CallReader, Repetition
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.agents.sample import CALLS, TOOLS, TURNS

HERMES = AGENT_TEMPLATES["hermes"]
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Bern"}}\n</tool_call>'
BERN = ToolCall("get_weather", {"city": "Bern"})


def read(reader: CallReader, text: str, size: int) -> tuple[list[str], str, tuple[ToolCall, ...]]:
    """What is shown of each piece of `size` characters, what is told at the end, and the calls."""
    shown = [reader.push(text[place : place + size]) for place in range(0, len(text), size)]
    return shown, *reader.finish()


@pytest.mark.parametrize("name", AGENT_TEMPLATES)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_calls_of_every_format_are_read_and_nothing_of_them_is_shown(name: str, size: int) -> None:
    template = AGENT_TEMPLATES[name]
    turn = TURNS[2] if template.parallel else pytest.skip("an answer has one call")
    text = template.answer(turn, TOOLS)
    for stop in template.stop:
        text = text.partition(stop)[0]
    shown, rest, calls = read(CallReader(template, TOOLS), text, size)
    assert [(call.name, call.arguments) for call in calls] == [(call.name, call.arguments) for call in CALLS]
    assert ("".join(shown) + rest).strip() == turn.content
    assert template.opening == "" or "".join(shown) == turn.content


@pytest.mark.parametrize("name", AGENT_TEMPLATES)
def test_an_answer_without_a_call_is_its_text(name: str) -> None:
    text = "In Genève, {a} <b [c Act. \n"
    for size in (1, 5, 100):
        shown, rest, calls = read(CallReader(AGENT_TEMPLATES[name], TOOLS), text, size)
        assert ("".join(shown) + rest, calls) == (text, ())


def test_text_is_shown_as_soon_as_it_can_be_no_call() -> None:
    reader = CallReader(HERMES, TOOLS)
    pieces = ["I look", ". ", "<", "b>", " <tool", "_", "call>", "{"]
    assert [reader.push(piece) for piece in pieces] == ["I look", ".", "", " <b>", "", "", "", ""]


@pytest.mark.parametrize("bad", ['{"name": "get_weather", "arguments": {"city"', '{"name": 5}', "sunny</tool_call>"])
def test_what_cannot_be_read_is_text_with_the_calls_beside_it(bad: str) -> None:
    text = f"Well.\n{CALL}\n<tool_call>{bad}"
    shown, rest, calls = read(CallReader(HERMES, TOOLS), text, 3)
    assert ("".join(shown) + rest, calls) == (text, ())


def test_calls_before_a_cut_are_calls_and_the_cut_one_is_text() -> None:
    half = CALL[:-31]
    reader = CallReader(HERMES, TOOLS)
    shown = reader.push(f"Well.\n{CALL}\n{half}")
    assert (shown, *reader.finish(is_cut=True)) == ("Well.", f"\n{half}", (BERN,))
    reader = CallReader(HERMES, TOOLS)
    assert (reader.push(half), *reader.finish(is_cut=True)) == ("", half, ())


@pytest.mark.parametrize("name", ["hermes", "react_en", "llama3", "deepseek_v3_1", "react_grpo"])
def test_an_answer_ends_where_it_makes_a_call_once_more(name: str) -> None:
    template = AGENT_TEMPLATES[name]
    written = template.written([*CALLS, CALLS[0]])
    repeats, said = Repetition(template, TOOLS), "<think>Bern?</think>"
    over = [place for place, char in enumerate(said + written) if repeats(char)]
    assert (said + written)[over[0]] == "}"
    said = (said + written)[: over[0] + 1]
    assert said.count("Bern") == 3
    reader = CallReader(template, TOOLS, once=True)
    reader.push(said)
    assert [call.arguments for call in reader.finish()[1]] == [call.arguments for call in CALLS]


def test_a_call_within_a_thought_is_none() -> None:
    text = f"<think>\nPerhaps {CALL}</think>\n{CALL}"
    shown, rest, calls = read(CallReader(HERMES, TOOLS), text, 4)
    assert ("".join(shown) + rest, calls) == (f"<think>\nPerhaps {CALL}</think>", (BERN,))


def test_text_behind_a_call_is_kept() -> None:
    shown, rest, calls = read(CallReader(HERMES, TOOLS), f"One.\n{CALL}\nTwo.", 2)
    assert ("".join(shown) + rest, calls) == ("One.\nTwo.", (BERN,))


def test_one_call_counts_where_one_is_asked_for() -> None:
    reader = CallReader(HERMES, TOOLS, parallel=False)
    assert read(reader, f"{CALL}\n{CALL.replace('Bern', 'Chur')}", 9)[2] == (BERN,)


def test_without_tools_everything_is_text() -> None:
    assert read(CallReader(), CALL, 5)[0] == [CALL[place : place + 5] for place in range(0, len(CALL), 5)]
