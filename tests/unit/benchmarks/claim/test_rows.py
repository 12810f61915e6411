"""Rows of agents that are made: what is held out stays out, and each can be learnt and judged."""

import json
from typing import Any

from claim.rows import NO_TOOL, chat, files, names_in, read_tools, steps, use
from swiftlet_trainer.evaluate.agents.rows import agent_row

TOOLS, POOLS = read_tools()
HELD = {tool.name for tool in TOOLS if tool.held}
MADE = files(rows=300, count=60, seed=1)


def called(row: dict[str, Any]) -> list[str]:
    return [call["function"]["name"] for turn in row["messages"] for call in turn.get("tool_calls", [])]


def listed(row: dict[str, Any]) -> list[str]:
    return [tool["function"]["name"] for tool in row["tools"]]


def test_there_are_enough_tools_and_ways_to_ask() -> None:
    assert len(TOOLS) - len(HELD) >= 50
    assert len(HELD) >= 12
    assert all(len(set(tool.asked)) == len(tool.asked) >= 3 for tool in TOOLS)
    assert all({*names_in(text)} == {*tool.takes} for tool in TOOLS for text in tool.asked)


def test_the_same_seed_makes_the_same_rows() -> None:
    assert files(rows=20, count=5, seed=4) == files(rows=20, count=5, seed=4) != files(rows=20, count=5, seed=5)


def test_what_is_held_out_is_never_trained_on() -> None:
    assert not HELD.intersection(name for row in MADE["train"] for name in listed(row))
    assert {name for row in MADE["tools"] for name in called(row)} <= HELD
    assert not HELD.intersection(name for row in MADE["phrases"] for name in called(row))
    trained = {row["messages"][0]["content"] for row in MADE["train"]}
    assert not trained.intersection(row["messages"][0]["content"] for row in MADE["phrases"] + MADE["tools"])


def test_every_row_is_a_step_that_react_writes_and_that_counts() -> None:
    for row in MADE["phrases"] + MADE["tools"] + [step for whole in MADE["train"] for step in steps(whole)]:
        assert agent_row(row, "react_en").counts
        assert {*called(row)} <= {*listed(row)}


def test_there_are_rows_of_every_kind() -> None:
    count = [len(called(row)) for row in MADE["train"]]
    assert {*count} == {0, 1, 2}
    assert 0.6 <= count.count(1) / len(count) <= 0.8
    assert all((row["messages"][-1]["content"] == NO_TOOL) == (not called(row)) for row in MADE["train"])


def test_a_chat_is_the_same_without_tools() -> None:
    row = next(row for row in MADE["train"] if called(row))
    asked, answered = chat(row)["messages"]
    assert asked == row["messages"][0]
    assert row["messages"][-1]["content"].endswith(answered["content"])
    assert "Thought" not in answered["content"]


def test_arguments_are_of_the_types_that_the_tool_says() -> None:
    import random

    for tool in TOOLS:
        one = use(tool, 0, POOLS, random.Random(1))
        types = {name: kind["type"] for name, kind in tool.schema["function"]["parameters"]["properties"].items()}
        assert types == {
            name: {"str": "string", "int": "integer"}[type(value).__name__] for name, value in one.arguments.items()
        }
        assert all(str(value) in one.question for value in one.arguments.values())
        json.loads(one.result)
        assert not names_in(one.answer)
