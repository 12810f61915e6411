"""ToolBench's figures, worked out by hand and as EvalScope has them."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.evaluate.agents.steps import Call, Step, step_of, step_of_text
from swiftlet_trainer.evaluate.agents.toolbench import step_figures

PEERS = json.loads((Path(__file__).parent / "peers.json").read_text())
"""Written by `benchmarks/agent_metrics.py --write`: what EvalScope 1.14.1 says of each case."""
NAMES = {"plan_em": "plan_em", "Act.EM": "act_em", "F1": "avg_f1", "HalluRate": "hallu_rate", "Rouge-L": "rouge_l"}
TOOLS = {"search", "book"}


def said(name: str, given: Any) -> str:
    return f"Thought: well.\nAction: {name}\nAction Input: {json.dumps(given)}"


@pytest.mark.parametrize("number", range(0, len(PEERS["toolbench"]), 8))
def test_figures_are_those_of_evalscope(number: int) -> None:
    for case, theirs in PEERS["toolbench"][number : number + 8]:
        target = step_of_text(case["target"])
        ours = step_figures(step_of_text(case["prediction"]), target, PEERS["tools"])
        wanted = {NAMES[name]: value for name, value in theirs.items() if name in NAMES}
        if not wanted:
            assert target.plan == "give up", "EvalScope counts such a row only where the prediction gives up too"
            continue
        assert ours == pytest.approx(wanted, abs=1e-9), case


@pytest.mark.parametrize(
    ("text", "step"),
    [
        (said("search", {"q": 1}), Step("call", (Call("search", {"q": 1}),))),
        ("Action: search", Step("call", (Call("search", {}),))),
        ("Action: search\nAction Input: {oops", Step("call", (Call("search", None),))),
        ("Action: a\nAction Input: {}\nAction: b\nAction Input: {}", Step("call", (Call("b", {}),))),
        ("I do not know.", Step("call")),
        ("Thought: done\nFinal Answer: 42", Step("finish", answer="42")),
        (said("Finish", {"return_type": "give_answer", "final_answer": "42"}), Step("finish", answer="42")),
        (said("Finish", {"return_type": "give_answer", "final_answer": " . "}), Step("finish", answer="None")),
        (said("Finish", {"return_type": "give_answer"}), Step("finish", answer="None")),
        (said("Finish", {"return_type": "give_up_and_restart"}), Step("give up")),
        (said("Finish", "42"), Step("give up")),
    ],
)
def test_a_text_is_a_step(text: str, step: Step) -> None:
    assert step_of_text(text) == step


def test_a_turn_with_calls_of_its_own_is_a_step() -> None:
    calls = [Call("search", {}), Call("book", {})]
    assert step_of("Let me see.", calls) == Step("call", tuple(calls))
    assert step_of("It rains.", []) == Step("finish", answer="It rains.")
    assert step_of("Thought: done\nFinal Answer: It rains.", []) == Step("finish", answer="It rains.")
    assert step_of("", [Call("Finish", {"return_type": "give_answer", "final_answer": "yes"})]).answer == "yes"


def test_figures_of_a_call() -> None:
    wanted = Step("call", (Call("book", {"a": 1, "b": 2}),))
    # One argument is right, the other is half a hit: 1.5 of 2 that are expected and 3 that are given.
    given = Step("call", (Call("book", {"a": 1, "b": 3, "c": 4}),))
    assert step_figures(given, wanted, TOOLS) == {
        "plan_em": 1,
        "hallu_rate": 0,
        "act_em": 1,
        "avg_f1": pytest.approx(2 * 1.5 / 5),
    }
    other = step_figures(Step("call", (Call("fly", {"a": 1, "b": 2}),)), wanted, TOOLS)
    assert other == {"plan_em": 1, "hallu_rate": 1, "act_em": 0, "avg_f1": 0}
    answered = step_figures(Step("finish", answer="yes"), wanted, TOOLS)
    assert answered == {"plan_em": 0, "hallu_rate": 0, "act_em": 0, "avg_f1": 0}


def test_several_calls_count_in_any_order() -> None:
    wanted = Step("call", (Call("book", {"a": 1}), Call("search", {})))
    assert step_figures(Step("call", wanted.calls[::-1]), wanted, TOOLS)["avg_f1"] == 1
    half = Step("call", (Call("search", {"q": 1}), Call("book", {"a": 1})))
    assert step_figures(half, wanted, TOOLS)["avg_f1"] == 0.5
    one = step_figures(Step("call", wanted.calls[:1]), wanted, TOOLS)
    assert (one["act_em"], one["avg_f1"]) == (0, 0)


def test_an_answer_has_no_figures_of_calls() -> None:
    wanted = Step("finish", answer="it rains in Oslo")
    # Two of two words, two of four.
    found = step_figures(Step("finish", answer="rains Oslo"), wanted, TOOLS)
    assert found == {"plan_em": 1, "hallu_rate": 0, "rouge_l": pytest.approx(2 / 3)}
    assert step_figures(Step("call", (Call("book", {}),)), wanted, TOOLS)["rouge_l"] == 0


def test_a_reference_without_readable_arguments_has_no_f1() -> None:
    wanted = Step("call", (Call("book", None),))
    assert step_figures(wanted, wanted, TOOLS) == {"plan_em": 1, "hallu_rate": 0, "act_em": 1}
