"""The suite of agents: what a model does next, beside what it should do."""

from swiftlet_trainer.evaluate.agents.function_calls import calls_problem
from swiftlet_trainer.evaluate.agents.rows import AgentRow
from swiftlet_trainer.evaluate.agents.toolbench import step_figures
from swiftlet_trainer.evaluate.finite import diverging
from swiftlet_trainer.evaluate.generation import generate
from swiftlet_trainer.evaluate.prompts import prompt_ids
from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.run import Run, encoded_rows, require_embedded
from swiftlet_trainer.failures import InvalidInput

UNCALLABLE = "counts for no figure: the row's own step calls a tool that it has not, or with what is no JSON"


def tool_calling(run: Run) -> list[Record]:
    """The step that the model takes in each row, with the figures that apply to it."""
    assert run.suite.tool_calling  # noqa: S101
    rows = [question.row for question in run.questions if isinstance(question.row, AgentRow)]
    if not any(row.counts for row in rows):
        raise InvalidInput([f"suite {run.suite.name}: no row can be counted; each {UNCALLABLE}"])
    prompts = encoded_rows(run.questions, lambda row: prompt_ids(run.tokenizer, row))
    require_embedded(run.model, run.tokenizer, prompts)
    with diverging(run.subject, lambda row: run.questions[row].place):
        length = run.suite.tool_calling.max_tokens
        agent = rows[0].template  # of all rows
        stops, kept = (agent.stop, agent.tokens) if agent else ((), ())
        said = generate(run.model, run.tokenizer, prompts, length, run.batch_size, run.done, kept, stops)
    return [_record(run, index, row, *one) for index, (row, one) in enumerate(zip(rows, said, strict=True))]


def _record(run: Run, index: int, row: AgentRow, answer: str, tokens: int) -> Record:
    figures: dict[str, float] = {}
    why: str | None = UNCALLABLE
    if row.counts:
        step = row.read(answer)
        why = calls_problem(step.calls, row.due, row.schemas)
        figures = {"call_accuracy": float(why is None), **step_figures(step, row.step, row.schemas)}
    asked = row.turns[-1].content
    return Record(run.suite.name, run.subject, index, asked, answer, row.text, figures, tokens=tokens, note=why)
