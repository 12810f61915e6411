"""One suite on one model, and what all suites do with its rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from swiftlet.wire.documents import ResolvedSuite

from swiftlet_trainer.data.examples import Labelled
from swiftlet_trainer.evaluate.questions import Question
from swiftlet_trainer.evaluate.rows import PerplexityRow, Row, UnusableRowError
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.embedder import Embedder
from swiftlet_trainer.models.reranker import PairPrompt
from swiftlet_trainer.models.vocabulary import id_problem

Done = Callable[[int], None]
Reading = Embedder | PairPrompt
"""How documents are compared with a query: by their vectors, or by scores of both together."""


@dataclass(frozen=True)
class Run:
    """One suite on one model: see run_suite."""

    suite: ResolvedSuite
    questions: Sequence[Question]
    subject: str
    model: Any
    tokenizer: Any
    batch_size: int
    done: Done
    reading: Reading


def encoded_rows(questions: Sequence[Question], encode: Callable[[Any], Any]) -> list[Any]:
    """`encode` of every row; all rows that it refuses in one InvalidInput."""
    found: list[Any] = []
    problems: list[str] = []
    for question in questions:
        try:
            found.append(encode(question.row))
        except UnusableRowError as error:
            problems.append(f"{question.place}: {error}")
    if problems:
        raise InvalidInput(problems)
    return found


def require_embedded(model: Any, tokenizer: Any, rows: Sequence[list[int]]) -> None:
    """Raise InvalidInput for a token that the model has no row for."""
    largest = max((max(ids) for ids in rows if ids), default=0)
    if problem := id_problem(largest, model.get_input_embeddings().weight.shape[0], tokenizer):
        raise InvalidInput([f"model: {problem}"])


def by_share(run: Run, count: int) -> Done:
    """Counts rows where a batch counts the sequences, `count` in all, that they become: a row is done with its share of
    them."""
    ratio, reached = len(run.questions) / count, [0, 0]

    def done(sequences: int) -> None:
        reached[0] += sequences
        rows = round(reached[0] * ratio)
        run.done(rows - reached[1])
        reached[1] = rows

    return done


def one_or_all(texts: list[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else texts


def shown(row: Row) -> str:
    """A scored text for people: its beginning."""
    if isinstance(row, Labelled):
        text = "\n".join(row.texts)
    else:
        assert isinstance(row, PerplexityRow)  # noqa: S101
        text = row.text if row.text is not None else "\n".join(turn.content for turn in row.turns or [])
    return text if len(text) <= 200 else text[:200] + "…"
