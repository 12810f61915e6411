"""Calls are right or wrong as BFCL has it."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.evaluate.agents.function_calls import Due, calls_problem, due
from swiftlet_trainer.evaluate.agents.steps import Call

PEERS = json.loads((Path(__file__).parent / "peers.json").read_text())
"""Written by `benchmarks/agent_metrics.py --write`: what bfcl-eval 2025.10.27.1 says of each case."""
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "limit": {"type": ["number", "null"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "where": {"type": "object"},
    },
    "required": ["city"],
}
TOOLS: dict[str, Any] = {"forecast": SCHEMA, "now": {"type": "object", "properties": {}}}


@pytest.mark.parametrize("number", range(0, len(PEERS["calls"]), 8))
def test_verdicts_are_those_of_bfcl(number: int) -> None:
    schemas = {one["name"]: one["parameters"] for one in PEERS["functions"]}
    for case, valid in PEERS["calls"][number : number + 8]:
        calls = [Call(name, arguments) for call in case["calls"] for name, arguments in call.items()]
        expected = [Due(name, PEERS["right"][name]) for name in case["due"]]
        assert (calls_problem(calls, expected, schemas) is None) == valid, case


def problem(given: Any, wanted: dict[str, Any]) -> str | None:
    return calls_problem([Call("forecast", given)], [due("forecast", wanted)], TOOLS)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"city": "Oslo"}, {"city": "Oslo"}),
        ({"city": "new york"}, {"city": "New-York"}),
        ({"city": "Oslo", "days": 3}, {"days": 3, "city": "Oslo"}),
        ({"city": "Oslo", "limit": 2}, {"city": "Oslo", "limit": 2.0}),
        ({"city": "Oslo", "limit": None}, {"city": "Oslo", "limit": None}),
        ({"city": "Oslo", "tags": ["A b"]}, {"city": "Oslo", "tags": ["a B"]}),
        ({"city": "Oslo", "where": {"x": 1}}, {"city": "Oslo", "where": {"x": 1}}),
    ],
)
def test_right_calls(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert problem(given, wanted) is None


@pytest.mark.parametrize(
    ("given", "wanted", "why"),
    [
        (None, {"city": "Oslo"}, "forecast: the arguments are no JSON object"),
        ({"days": 3}, {"city": "Oslo", "days": 3}, "forecast: city is missing"),
        ({"city": "Oslo"}, {"city": "Oslo", "days": 3}, "forecast: days is missing"),
        ({"city": "Oslo", "days": 3}, {"city": "Oslo"}, "forecast: days is not asked for"),
        ({"city": "Oslo", "wind": 3}, {"city": "Oslo"}, "forecast: wind is not an argument of it"),
        ({"city": "Bergen"}, {"city": "Oslo"}, "forecast: city is 'Bergen'"),
        ({"city": "Oslo", "days": "3"}, {"city": "Oslo", "days": 3}, "forecast: days is '3'"),
        ({"city": "Oslo", "days": True}, {"city": "Oslo", "days": 1}, "forecast: days is True"),
        ({"city": "Oslo", "tags": ["b", "a"]}, {"city": "Oslo", "tags": ["a", "b"]}, "forecast: tags is ['b', 'a']"),
        ({"city": "Oslo", "where": {"x": 1, "y": 2}}, {"city": "Oslo", "where": {"x": 1}}, "forecast: where is"),
    ],
)
def test_wrong_calls_say_why(given: Any, wanted: dict[str, Any], why: str) -> None:
    assert (problem(given, wanted) or "").startswith(why)


def test_several_calls_are_matched_in_any_order() -> None:
    oslo, rome, now = (due("forecast", {"city": "Oslo"}), due("forecast", {"city": "Rome"}), due("now", {}))
    calls = [Call("now", {}), Call("forecast", {"city": "rome"}), Call("forecast", {"city": "oslo"})]
    assert calls_problem(calls, [oslo, rome, now], TOOLS) is None
    assert calls_problem(calls[:2], [oslo, rome, now], TOOLS) == "2 calls, 3 are due"
    twice = [calls[0], calls[1], calls[1]]
    assert calls_problem(twice, [oslo, rome, now], TOOLS) == "no call is the forecast that is due"


def test_where_none_is_due_none_may_be_made() -> None:
    assert calls_problem([], [], TOOLS) is None
    assert calls_problem([Call("now", {})], [], TOOLS) == "1 calls, 0 are due"


def test_another_tool_is_named() -> None:
    assert calls_problem([Call("now", {})], [due("forecast", {"city": "Oslo"})], TOOLS) == "calls now, forecast is due"


def test_where_several_values_count_as_right_any_does() -> None:
    wanted = Due("forecast", {"city": ["Oslo", "Kristiania"], "days": [3, ""]})
    assert calls_problem([Call("forecast", {"city": "Kristiania"})], [wanted], TOOLS) is None
    assert calls_problem([Call("forecast", {"city": "Oslo", "days": 3})], [wanted], TOOLS) is None
    assert calls_problem([Call("forecast", {"city": "Oslo", "days": 4})], [wanted], TOOLS) is not None
