"""The suite of agents, from questions to figures."""

from typing import Any

import pytest
from swiftlet.api.v1alpha1.suites import SUITE_METRICS
from swiftlet_trainer.evaluate.agents import suite as agents
from swiftlet_trainer.evaluate.agents.rows import agent_row
from swiftlet_trainer.evaluate.questions import Question
from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.statistics import value
from swiftlet_trainer.evaluate.suites import run_suite, samples
from swiftlet_trainer.failures import InvalidInput

SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}, "page": {"type": "integer"}}, "required": ["q"]}
TOOLS = [{"name": "search", "parameters": SCHEMA}, {"name": "now"}]
CALL = 'Thought: I look.\nAction: search\nAction Input: {"q": "swift", "page": 1}'
ANSWER = "Thought: I know.\nFinal Answer: It is a bird"
UNCALLABLE = "Action: none_of_these\nAction Input: {}"


def questions(*steps: str) -> list[Question]:
    rows = ({"messages": [{"role": "user", "content": "Go on."}], "tools": TOOLS, "target": step} for step in steps)
    return [Question(f"rows.jsonl, line {number}", agent_row(row)) for number, row in enumerate(rows, 1)]


def records_of(
    said: dict[str, str], suite: Any, model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> list[Record]:
    """said: what the model answers where each step is due."""
    monkeypatch.setattr(agents, "generate", lambda *_: [(answer, 7) for answer in said.values()])
    return run_suite(suite, questions(*said), "target", model, tokenizer, 2, lambda rows: None)


def test_figures_are_means_over_the_rows_that_they_are_about(
    model: Any, tokenizer: Any, suite: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = suite(toolCalling={})
    said = {
        CALL: 'Action: search\nAction Input: {"q": "swift", "page": 2}',
        CALL + " ": "Action: look\nAction Input: {}",
        ANSWER: "Final Answer: It is an engine",
        UNCALLABLE: CALL,
    }
    found = records_of(said, kind, model, tokenizer, monkeypatch)
    figures = samples(kind, found)
    assert {name: len(sample) for name, sample in figures.items()} == {
        "call_accuracy": 3,
        "plan_em": 3,
        "act_em": 2,
        "hallu_rate": 3,
        "avg_f1": 2,
        "rouge_l": 1,
    }
    assert {name: value(sample) for name, sample in figures.items()} == pytest.approx(
        {"call_accuracy": 1 / 3, "plan_em": 1, "act_em": 0.5, "hallu_rate": 1 / 3, "avg_f1": 0.75 / 2, "rouge_l": 0.5}
    )
    assert [record.note for record in found] == [
        "search: page is 2",
        "calls look, search is due",
        None,
        agents.UNCALLABLE,
    ]
    assert found[3].metrics == {}


def test_every_figure_that_the_api_names_is_reported(
    model: Any, tokenizer: Any, suite: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = suite(toolCalling={})
    found = records_of({CALL: CALL, ANSWER: ANSWER}, kind, model, tokenizer, monkeypatch)
    figures = {name: value(sample) for name, sample in samples(kind, found).items()}
    assert list(figures) == list(SUITE_METRICS["tool_calling"])
    assert figures == {name: float(name != "hallu_rate") for name in figures}


def test_a_model_is_asked(model: Any, tokenizer: Any, suite: Any) -> None:
    done: list[int] = []
    kind = suite(toolCalling={"maxTokens": 5})
    (record,) = run_suite(kind, questions(CALL), "target", model, tokenizer, 2, done.append)
    assert 1 <= record.tokens <= 5
    assert record.metrics == {"call_accuracy": 0, "plan_em": 1, "hallu_rate": 0, "act_em": 0, "avg_f1": 0}
    assert record.note == "0 calls, 1 are due"
    assert record.reference == CALL
    assert sum(done) == 1


@pytest.mark.parametrize(("template", "stops"), [("react_en", ("Observation:",)), ("hermes", ()), (None, ())])
def test_answers_end_where_the_agent_template_says(
    model: Any, tokenizer: Any, suite: Any, monkeypatch: pytest.MonkeyPatch, template: str | None, stops: Any
) -> None:
    """What a model makes up behind its call costs nothing, and is not read."""
    asked: list[Any] = []
    monkeypatch.setattr(agents, "generate", lambda *given: (asked.append(given[-1]), [("Action: search", 3)])[1])
    called = {"role": "assistant", "tool_calls": [{"function": {"name": "search", "arguments": {"q": "swift"}}}]}
    row = {"messages": [{"role": "user", "content": "Go on."}, called], "tools": TOOLS}
    rows = [Question("rows.jsonl, line 1", agent_row(row, template))] if template else questions(CALL)
    run_suite(suite(toolCalling={"agentTemplate": template}), rows, "target", model, tokenizer, 2, lambda rows: None)
    assert asked == [stops]


def test_rows_of_which_none_counts_are_refused(model: Any, tokenizer: Any, suite: Any) -> None:
    with pytest.raises(InvalidInput, match="suite suite: no row can be counted"):
        run_suite(suite(toolCalling={}), questions(UNCALLABLE), "target", model, tokenizer, 2, lambda rows: None)


def test_a_model_is_asked_by_an_agent_template(model: Any, tokenizer: Any, suite: Any) -> None:
    called = {"role": "assistant", "tool_calls": [{"function": {"name": "search", "arguments": {"q": "swift"}}}]}
    row = {"messages": [{"role": "user", "content": "Go on."}, called], "tools": TOOLS}
    asked = [Question("rows.jsonl, line 1", agent_row(row, "hermes"))]
    kind = suite(toolCalling={"maxTokens": 5, "agentTemplate": "hermes"})
    (record,) = run_suite(kind, asked, "target", model, tokenizer, 2, lambda rows: None)
    assert record.reference == '<tool_call>\n{"name": "search", "arguments": {"q": "swift"}}\n</tool_call>'
    assert record.metrics["call_accuracy"] == 0
