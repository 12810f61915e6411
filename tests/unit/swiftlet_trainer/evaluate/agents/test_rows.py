"""Rows of agents' steps."""

import json
from typing import Any

import pytest
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.evaluate.agents.function_calls import Due
from swiftlet_trainer.evaluate.agents.rows import agent_row, tool_schemas

SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
TOOLS = [{"type": "function", "function": {"name": "search", "description": "Looks up.", "parameters": SCHEMA}}]
STEP = 'Thought: I look.\nAction: search\nAction Input: {"q": "swift"}'
ASKED = {"role": "user", "content": "What is a swift?"}


def row(**changes: Any) -> dict[str, Any]:
    whole = {"messages": [ASKED], "tools": TOOLS, "target": STEP, **changes}
    return {key: value for key, value in whole.items() if value is not ...}


def test_a_row_has_what_is_asked_and_the_step_that_is_due() -> None:
    found = agent_row(row())
    assert found.turns == [Turn("user", "What is a swift?")]
    assert found.schemas == {"search": SCHEMA}
    assert found.due == [Due("search", {"q": ["swift"]})]
    assert found.text == STEP
    assert found.counts


@pytest.mark.parametrize(
    "same",
    [
        row(target=..., answer=STEP),
        row(target=..., messages=[ASKED, {"role": "assistant", "content": STEP}]),
        row(tools=json.dumps(TOOLS)),
        row(tools=[TOOLS[0]["function"]]),
        {"conversations": [{"from": "human", "value": "What is a swift?"}], "tools": TOOLS, "target": STEP},
    ],
)
def test_ways_to_write_a_row(same: dict[str, Any]) -> None:
    assert agent_row(same) == agent_row(row())


def test_what_a_tool_gave_is_said_by_the_user_as_evalscope_asks_it() -> None:
    told = {"role": "function", "name": "search", "content": '{"found": "a bird"}'}
    said = {"role": "assistant", "content": STEP}
    turns = agent_row(row(messages=[ASKED, said, told], target="Thought: well.\nFinal Answer: A bird.")).turns
    assert [turn.role for turn in turns] == ["user", "assistant", "user"]
    assert json.loads(turns[-1].content) == {"role": "function", "content": '{"found": "a bird"}'}


@pytest.mark.parametrize(
    "step", ["Action: invalid_hallucination_function_name\nAction Input: {}", "Action: search\nAction Input: {oops"]
)
def test_steps_that_cannot_be_taken_count_for_nothing(step: str) -> None:
    assert not agent_row(row(target=step)).counts


def test_answers_and_giving_up_always_count() -> None:
    for step in ("Final Answer: A bird.", 'Action: Finish\nAction Input: {"return_type": "give_up"}'):
        found = agent_row(row(target=step))
        assert found.counts
        assert found.due == []


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (row(messages=...), "messages is missing"),
        (row(target=...), "neither target nor a last message of the assistant"),
        (row(target=" "), "target is str ' '"),
        (row(target=[STEP]), "target is list"),
        (row(answer="Final Answer: x"), "has both target and answer"),
        (row(target="A bird."), "the step has neither Action: nor Final Answer:"),
        (row(messages=[ASKED, {"role": "assistant", "content": "Hm."}]), "nothing is asked before the step"),
        (row(tools=...), "tools is NoneType"),
        (row(tools=[]), "tools is list"),
        (row(tools="[oops"), "tools must be a list as JSON"),
        (row(tools=[{"function": {"description": "?"}}]), r"tools\[0\] names no tool"),
        (row(tools=["search"]), r"tools\[0\] names no tool"),
        (row(tools=[{"name": "search", "parameters": [1]}]), r"tools\[0\].parameters is list"),
        (row(tools=[*TOOLS, {"name": "search"}]), "tools has search twice with different parameters"),
        (row(chosen=["x"]), "chosen is not supported"),
    ],
)
def test_bad_rows_say_why(bad: dict[str, Any], why: str) -> None:
    with pytest.raises(RowError, match=why):
        agent_row(bad)


def test_a_tool_that_is_there_twice_is_one() -> None:
    assert tool_schemas([*TOOLS, *TOOLS]) == {"search": SCHEMA}
