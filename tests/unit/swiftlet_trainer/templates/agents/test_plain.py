"""Conversations with tools as texts alone: as models' own chat templates write them, with what is given marked."""

from dataclasses import replace
from importlib.resources import files
from itertools import pairwise

import pytest
from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.plain import plain
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.agents.template import UnwritableError
from transformers.utils.chat_template_utils import render_jinja_template

TOOLS: list[Tool] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"The {name}.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
        },
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
OWN = {"hermes": "qwen2_5", "qwen3_5": "qwen3_5_nothink", "glm4_5": "glm4moe", "llama3": "llama3_1"}
"""Agent templates, and models whose chat templates write the same."""


def rendered(file: str, turns: list[Turn], tools: list[Tool] | None = None) -> str:
    own = files("trl").joinpath(f"chat_templates/{file}.jinja").read_text()
    given = [dict(tool) for tool in tools] if tools else None
    (text,), _ = render_jinja_template(
        conversations=[[turn.message for turn in turns]], tools=given, chat_template=own, bos_token="<|begin_of_text|>"
    )
    return str(text)


@pytest.mark.parametrize("name", OWN)
def test_texts_are_what_the_model_s_own_template_writes(name: str) -> None:
    turns = TURNS
    if name == "llama3":  # one call at a time, nothing said beside it, and results as JSON
        turns = [*TURNS[:2], replace(TURNS[2], content="", calls=CALLS[:1]), replace(TURNS[3], content="20"), TURNS[5]]
    own = rendered(OWN[name], turns, TOOLS)
    ours = rendered(OWN[name], plain(turns, TOOLS, AGENT_TEMPLATES[name]))
    if name == "llama3":
        own = own.replace("Environment: ipython\n", "").replace('"20"', "20")
    if name == "glm4_5":  # behind results a thought is said to be empty only by the model's own template
        own = own.replace("\n<think></think>\nWarm.", "\nWarm.")
    if name == "qwen3_5":  # an answer behind results is said to be without a thought
        own, ours = (text.replace("<think>\n\n</think>\n\n", "") for text in (own, ours))
    assert ours == own


def said(turn: Turn) -> tuple[str, str]:
    """What of an answer is learnt, and what is given, pieces joined by a bar."""
    bounds = [0, *(place for span in turn.given for place in span), len(turn.content)]
    pieces = [turn.content[start:end] for start, end in pairwise(bounds)]
    return "|".join(pieces[::2]), "|".join(pieces[1::2])


def test_results_within_an_answer_are_given() -> None:
    system, user, answer = plain(TURNS, TOOLS, AGENT_TEMPLATES["react_en"])
    assert system.content.startswith("Be brief.\n\nAnswer the following questions")
    assert user == TURNS[1]
    calls = 'Action: weather\nAction Input: {"city": "Zürich", "days": 2}\nAction: time\nAction Input: {}\nObservation:'
    assert said(answer) == (f"I look.\n{calls}|Warm.", "20 degrees\nObservation:noon\n")


def test_a_call_ends_as_turns_do_before_results_that_go_on_in_it() -> None:
    answer = plain(TURNS, TOOLS, AGENT_TEMPLATES["deepseek_v3_1"])[-1]
    learnt, given = said(answer)
    assert learnt.endswith("<｜tool▁calls▁end｜><｜end▁of▁sentence｜>|Warm.")
    assert given.count("<｜tool▁output▁begin｜>") == 2
    alone = plain(TURNS[:3], TOOLS, AGENT_TEMPLATES["deepseek_v3_1"])[-1]
    assert alone.content.endswith("<｜tool▁calls▁end｜>")


def test_marks_hold_for_what_they_mark() -> None:
    react = AGENT_TEMPLATES["react_en"]
    first, last = replace(TURNS[2], weight=0.0), replace(TURNS[5], weight=0.0)
    only_last = plain([*TURNS[:2], first, *TURNS[3:]], TOOLS, react)[-1]
    assert (said(only_last)[0], only_last.weight) == ("|Warm.", None)
    only_first = plain([*TURNS[:5], last], TOOLS, react)[-1]
    assert said(only_first)[0].startswith("I look.\nAction: weather")
    assert said(only_first)[1].endswith("noon\n|Warm.")
    assert (
        plain([*TURNS[:5], replace(last, weight=1.0)], TOOLS, react)[-1].given == plain(TURNS, TOOLS, react)[-1].given
    )
    with pytest.raises(UnwritableError, match=r"their marks differ \(1\.0 and 0\.5\)"):
        plain([*TURNS[:5], replace(last, weight=0.5)], TOOLS, react)


def test_what_has_no_place_is_refused() -> None:
    thought = [*TURNS[:5], replace(TURNS[5], thought="Warm it is.")]
    with pytest.raises(UnwritableError, match="no place for a thought behind results"):
        plain(thought, TOOLS, AGENT_TEMPLATES["glm4_5"])
    assert plain(thought, TOOLS, AGENT_TEMPLATES["react_en"])[-1].content.endswith("Thought: Warm it is.\nWarm.")
    with pytest.raises(UnwritableError, match="follows no answer"):
        plain([TURNS[1], TURNS[3]], TOOLS, AGENT_TEMPLATES["react_en"])
    with pytest.raises(UnwritableError, match="introduces tools to the user"):
        plain(TURNS[2:3], TOOLS, AGENT_TEMPLATES["llama3"])


def test_a_conversation_without_tools_stays_as_it_is() -> None:
    chat = [*TURNS[:2], TURNS[5]]
    assert all(plain(chat, (), template) == chat for template in AGENT_TEMPLATES.values())
