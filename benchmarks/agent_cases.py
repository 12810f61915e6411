"""Steps and calls, right and wrong in every way, on which figures of agents are compared; the same in every run.

Nothing but the standard library: the peers' environment imports it too.
"""

import json
import random
from collections.abc import Iterator
from itertools import product
from typing import Any

ToolBenchCase = dict[str, Any]
"""target and prediction: what an agent should say, and what it says."""
CallCase = dict[str, Any]
"""category (BFCL's), calls ({name: arguments} each), and due: names of RIGHT."""

TOOLS = ["forecast_for_city", "convert_money", "list_orders", "Finish"]
INPUTS: list[dict[str, Any]] = [
    {},
    {"city": "Oslo"},
    {"city": "Oslo", "days": 3},
    {"city": "oslo", "days": 3, "units": "metric"},
    {"from": "EUR", "to": "NOK", "amount": 12.5, "exact": True},
    {"filter": {"state": ["open", "paid"]}, "page": None},
]
ANSWERS = ["It will rain in Oslo .", "it will rain in Oslo for three days", "none", "", "Schnee über 東京, 3 °C"]
ENDINGS = [
    {"return_type": "give_up_and_restart"},
    {"return_type": "give_answer"},
    {"final_answer": "It will rain."},
    *({"return_type": "give_answer", "final_answer": answer} for answer in ANSWERS),
]
HOSTILE = [
    "I cannot help with that.",
    "Thought: nothing\nAction: convert_money",
    'Action: convert_money\nAction Input: {"from": "EUR"',
    "Action: convert_money\nAction Input: [1, 2]",
    "Action: convert_money\nAction Input: null",
    "Action: Finish\nAction Input: give_answer",
    "Action: Finish",
    'Action Input: {"city": "Oslo"}',
    'Action: weather\nAction Input: {}\nObservation: {}\nAction: forecast_for_city\nAction Input: {"city": "Oslo"}',
    'Action: forecast_for_city\nAction Input: {"city": "Oslo"}\nObservation: sunny',
    "Action:\nAction Input: {}",
    "",
]


def toolbench_cases(count: int, seed: int = 7) -> Iterator[ToolBenchCase]:
    """Every hostile prediction, and `count` others, beside steps that are right."""
    choose = random.Random(seed)
    targets = [said(name, given) for name, given in product(TOOLS[:3], INPUTS)]
    targets += [said("Finish", ending) for ending in ENDINGS]
    predictions = [*targets, *(said(name, given) for name, given in product(["weather", "Forecast_For_City"], INPUTS))]
    for target, prediction in product([targets[0], targets[3], targets[-1], targets[18]], HOSTILE):
        yield {"target": target, "prediction": prediction}
    for _ in range(count):
        target = choose.choice(targets)
        yield {"target": target, "prediction": choose.choice([target, choose.choice(predictions)])}


def all_cases(count: int) -> dict[str, Any]:
    """All cases with what they are about."""
    cases = {"toolbench": list(toolbench_cases(count)), "calls": list(call_cases(count))}
    return {"tools": TOOLS, "functions": FUNCTIONS, "right": RIGHT, **cases}


def said(name: str, given: dict[str, Any]) -> str:
    """A step in ReAct's words."""
    return f"Thought: I should go on.\nAction: {name}\nAction Input: {json.dumps(given, ensure_ascii=False)}"


FUNCTIONS: list[dict[str, Any]] = [
    {
        "name": "book",
        "description": "Books seats.",
        "parameters": {
            "type": "dict",
            "properties": {
                "title": {"type": "string"},
                "seats": {"type": "integer"},
                "price": {"type": "float"},
                "reduced": {"type": "boolean"},
                "rows": {"type": "array", "items": {"type": "string"}},
                "numbers": {"type": "array", "items": {"type": "integer"}},
                "buyer": {"type": "dict"},
                "guests": {"type": "array", "items": {"type": "dict"}},
            },
            "required": ["title", "seats"],
        },
    },
    {
        "name": "cancel.booking",
        "description": "Cancels one.",
        "parameters": {"type": "dict", "properties": {"id": {"type": "string"}}, "required": ["id"]},
    },
]
BOOKED: dict[str, list[Any]] = {
    "title": ["La Traviata", "Traviata"],
    "seats": [2],
    "price": [30.0, ""],
    "reduced": [True, ""],
    "rows": [["A", "B"], ["B", "A"], ""],
    "numbers": [[1, 2], ""],
    "buyer": [{"name": ["Ann Lee"], "age": [41, ""]}, ""],
    "guests": [[{"name": ["Bo"]}, {"name": ["Cy", "Cyrus"]}], ""],
}
RIGHT: dict[str, dict[str, list[Any]]] = {"book": BOOKED, "cancel.booking": {"id": ["x-1", "x-2"]}}
"""Values of each function's arguments that count as right."""
VALUES: dict[str, list[Any]] = {
    "title": ["La Traviata", "la traviata", "traviata!", "Tosca", "", 3, None],
    "seats": [2, 2.0, "2", True, 3],
    "price": [30.0, 30, "30", 31.5],
    "reduced": [True, False, "true", 1],
    "rows": [["A", "B"], ["b", "a"], ["A"], ["A", 1], "A"],
    "numbers": [[1, 2], [2, 1], [1, "2"], [1, 2, 3]],
    "buyer": [
        {"name": "ann lee"},
        {"name": "Ann Lee", "age": 41},
        {"age": 41},
        {"name": "Ann Lee", "city": "Oslo"},
        "Ann",
    ],
    "guests": [[{"name": "Bo"}, {"name": "Cyrus"}], [{"name": "Cy"}, {"name": "Bo"}], [{"name": "Bo"}], [{}, {}]],
}


def call_cases(count: int, seed: int = 11) -> Iterator[CallCase]:
    """Each value of each argument alone, then `count` of several together and of several calls, then of none due."""
    for name, values in VALUES.items():
        for value in values:
            yield _case("simple", [{"book": {"title": "Traviata", "seats": 2, name: value}}], ["book"])
    choose = random.Random(seed)
    for _ in range(count):
        expected = [choose.choice(list(RIGHT)) for _ in range(choose.randint(1, 3))]
        calls = [_call(choose, name) for name in expected]
        choose.shuffle(calls)
        calls = calls[: choose.choice([3, 3, 3, 1])] + ([_call(choose, "book")] if choose.random() < 0.1 else [])
        yield _case("parallel" if len(expected) > 1 else "multiple", calls, expected)
    for calls in ([], [{"book": {"title": "Traviata", "seats": 2}}]):
        yield _case("irrelevance", calls, [])


def _call(choose: random.Random, name: str) -> dict[str, Any]:
    if name != "book":
        return {
            choose.choice([name, name, "cancel_booking"]): choose.choice([{"id": "X 1"}, {"id": "x-2"}, {}, {"no": 1}])
        }
    given = {key: values[0 if choose.random() < 0.9 else -1] for key, values in VALUES.items() if choose.random() < 0.7}
    return {name: {"title": "Traviata", "seats": 2, **given}}


def _case(category: str, calls: list[dict[str, Any]], due: list[str]) -> CallCase:
    return {"category": category, "calls": calls, "due": due}
