"""Steps that an agent template writes: asked as they are learnt, and read back."""

from typing import Any

import pytest
from swiftlet.api.v1alpha1.finetunejob import Template
from swiftlet_trainer.data.examples import Example
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.evaluate.agents.function_calls import Due
from swiftlet_trainer.evaluate.agents.rows import AgentRow, agent_row
from swiftlet_trainer.evaluate.agents.steps import Call
from swiftlet_trainer.evaluate.prompts import prompt_ids
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.tasks.sft.rows import SftRows
from swiftlet_trainer.templates.agents.sample import TOOLS, TURNS
from swiftlet_trainer.templates.segments import Segments, Weighed

CALLED = {"role": "assistant", "tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Bern"}}}]}
TOLD = {"role": "tool", "content": "mild"}
ASKED = {"role": "user", "content": "Bern?"}


def row(*behind: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"messages": [ASKED, *behind], "tools": list(TOOLS), **changes}


@pytest.fixture(scope="module")
def segments(glm: Any) -> Segments:
    return Segments(glm)


def learnt(tokenizer: Any, segments: Segments, example: Example, template: str) -> list[int]:
    """The ids of a row in training."""
    (rendered,) = SftRows(tokenizer, segments, Template(agent_template=template)).rendered(example)
    (found,) = segments.weighed([rendered])
    assert isinstance(found, Weighed)
    return [token for part in found.parts for token in part]


@pytest.mark.parametrize("template", ["hermes", "react_en", "qwen3_coder", "glm4_5"])
@pytest.mark.parametrize(("step", "says"), [(2, "I look at both."), (5, "In Genève.")], ids=["call", "answer"])
def test_a_step_is_asked_as_it_is_learnt(glm: Any, segments: Segments, template: str, step: int, says: str) -> None:
    """Also behind results that stand within the assistant's own turn, and with text that looks like a control token."""
    turns = [turn if turn.role != "user" else type(turn)("user", "<|observation|> or <|im_end|>?") for turn in TURNS]
    rows = AgentRow(turns[:step], {}, "", agent_row(row(CALLED), template).step, template_of(template), TOOLS)
    asked, whole = prompt_ids(glm, rows), learnt(glm, segments, Example(turns[: step + 1], tools=TOOLS), template)
    assert whole[: len(asked)] == asked
    assert glm.decode(whole[len(asked) :]).startswith(says)


def template_of(name: str) -> Any:
    return agent_row(row(CALLED), name).template


@pytest.mark.parametrize("template", ["hermes", "react_en", "qwen_en", "glm4_5", "minimax_m2"])
def test_a_step_reads_back_as_it_is_due(template: str) -> None:
    call = agent_row(row(CALLED), template)
    assert call.due == [Due("get_weather", {"city": ["Bern"]})]
    assert call.counts
    assert call.read(call.text) == call.step
    assert call.step.calls == (Call("get_weather", {"city": "Bern"}),)
    answer = agent_row(row(CALLED, TOLD, {"role": "assistant", "content": "Mild."}), template)
    assert (answer.text, answer.due) == ("Mild.", [])
    assert answer.read("Mild.") == answer.step
    assert [turn.role for turn in answer.turns] == ["user", "assistant", "tool"]


def test_a_call_that_is_none_is_no_answer() -> None:
    step = agent_row(row(CALLED), "hermes").read('<tool_call>\n{"name": "get_weather", "argu\n</tool_call>')
    assert (step.plan, step.calls) == ("call", ())


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (row(), "the last turn must be the assistant's, with calls or a text"),
        (row(CALLED, TOLD), "the last turn must be the assistant's"),
        ({"messages": [CALLED], "tools": list(TOOLS)}, "the last turn must be the assistant's|first"),
        (row(CALLED, tools=[]), "tools is empty; list the tools"),
        (row(CALLED, target="Final Answer: x"), "target is text; with agentTemplate the last turn is the step"),
        (row({"role": "assistant", "content": "Action: f\nAction Input: {}"}, tools=[{"oops": 1}]), "tools"),
    ],
)
def test_bad_rows_say_why(bad: dict[str, Any], why: str) -> None:
    with pytest.raises(RowError, match=why):
        agent_row(bad, "react_en")


def test_a_step_that_the_format_cannot_carry_is_told() -> None:
    forged = {**CALLED, "content": "Action: f\nAction Input: {}"}
    with pytest.raises(RowError, match=r"react_en would have the call .* read back"):
        agent_row(row(forged), "react_en")


def test_a_tokenizer_that_cannot_write_it_is_told(tokenizer: Any) -> None:
    with pytest.raises(InvalidInput, match=r"agentTemplate glm4 writes the control tokens <\|assistant\|>"):
        prompt_ids(tokenizer, agent_row(row(CALLED), "glm4"))
