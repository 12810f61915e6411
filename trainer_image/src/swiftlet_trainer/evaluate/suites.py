"""Running one suite on one model: from questions to one record per row."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from swiftlet.api.suites import SUITE_METRICS
from swiftlet.wire.documents import ResolvedSuite

from swiftlet_trainer.data.examples import Labelled, Preference, Relevance
from swiftlet_trainer.evaluate.classes import Classified, class_encoder, predicted
from swiftlet_trainer.evaluate.finite import diverging
from swiftlet_trainer.evaluate.generation import generate, padding_token
from swiftlet_trainer.evaluate.likelihood import Likelihood, Scored, log_likelihoods
from swiftlet_trainer.evaluate.metrics import GENERATION_METRICS
from swiftlet_trainer.evaluate.prompts import (
    answer_ids,
    choice_ids,
    prompt_ids,
    prompt_text,
    relevance_encoder,
    text_encoder,
)
from swiftlet_trainer.evaluate.questions import Question
from swiftlet_trainer.evaluate.retrieval import rankings, texts_of
from swiftlet_trainer.evaluate.rows import ChoiceRow, GenerationRow, PerplexityRow, Row, UnusableRowError
from swiftlet_trainer.evaluate.scores import head_of, text_scores
from swiftlet_trainer.evaluate.statistics import Sample, mean_sample, perplexity_sample
from swiftlet_trainer.evaluate.vectors import text_vectors
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.embedder import AS_DEFAULT, Embedder
from swiftlet_trainer.models.vocabulary import id_problem

Done = Callable[[int], None]


@dataclass(frozen=True)
class Record:
    """What one model made of one row: a line of rows.jsonl."""

    suite: str
    subject: str
    index: int
    prompt: str
    answer: str | None = None
    reference: str | list[str] | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    nll: float | None = None
    """Summed negative log-likelihood in nats of the scored tokens (perplexity)."""
    tokens: int = 0
    """Tokens generated (generation) or scored."""
    scores: list[float] | None = None
    """Of a model that scores texts: of each answer, or of each class."""

    def document(self) -> dict[str, Any]:
        """The JSON form, without what is not set. JSON has no infinities: they are texts that float() reads."""
        found = {key: value for key, value in asdict(self).items() if value not in (None, {})}
        if self.nll is not None and not math.isfinite(self.nll):
            found["nll"] = str(self.nll)
        return found


@dataclass(frozen=True)
class _Run:
    """One suite on one model: see run_suite."""

    suite: ResolvedSuite
    questions: Sequence[Question]
    subject: str
    model: Any
    tokenizer: Any
    batch_size: int
    done: Done
    embedder: Embedder


def run_suite(
    suite: ResolvedSuite,
    questions: Sequence[Question],
    subject: str,
    model: Any,
    tokenizer: Any,
    batch_size: int,
    done: Done,
    embedder: Embedder = AS_DEFAULT,
) -> list[Record]:
    """One record per question, in order; `done` gets the number of rows of each finished batch.

    embedder: how the subject makes vectors of texts. Raises InvalidInput with the place of every row that the model's
    tokenizer or template cannot take, and Diverged where the model's logits or vectors are not finite.
    """
    runs = {
        "generation": _generation,
        "perplexity": _perplexity,
        "preference": _preference,
        "multiple_choice": _choice,
        "retrieval": _retrieval,
        "classification": _classification,
    }
    chosen = next(run for block, run in runs.items() if getattr(suite, block))
    return chosen(_Run(suite, questions, subject, model, tokenizer, batch_size, done, embedder))


def samples(suite: ResolvedSuite, records: Sequence[Record]) -> dict[str, Sample]:
    """The metrics of a suite from the records of one subject, by name."""
    if suite.perplexity:
        return {
            "perplexity": perplexity_sample(
                [0.0 if r.nll is None else r.nll for r in records], [r.tokens for r in records]
            )
        }
    names = (
        suite.generation.metrics
        if suite.generation
        else next(metrics for block, metrics in SUITE_METRICS.items() if getattr(suite, block))
    )
    return {name: mean_sample([record.metrics[name] for record in records]) for name in names}


def _encoded(questions: Sequence[Question], encode: Callable[[Any], Any]) -> list[Any]:
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


def _require_embedded(model: Any, tokenizer: Any, rows: Sequence[list[int]]) -> None:
    """Raise InvalidInput for a token that the model has no row for."""
    largest = max((max(ids) for ids in rows if ids), default=0)
    if problem := id_problem(largest, model.get_input_embeddings().weight.shape[0], tokenizer):
        raise InvalidInput([f"model: {problem}"])


def _generation(run: _Run) -> list[Record]:
    assert run.suite.generation  # noqa: S101  (narrows the type; run_suite chose by it)
    prompts = _encoded(run.questions, lambda row: prompt_ids(run.tokenizer, row))
    _require_embedded(run.model, run.tokenizer, prompts)
    with diverging(run.subject, lambda row: run.questions[row].place):
        answers = generate(run.model, run.tokenizer, prompts, run.suite.generation.max_tokens, run.batch_size, run.done)
    records = []
    for index, (question, (answer, tokens)) in enumerate(zip(run.questions, answers, strict=True)):
        row = question.row
        assert isinstance(row, GenerationRow)  # noqa: S101
        scores: dict[str, float] = {
            name: GENERATION_METRICS[name](answer, row.references) for name in run.suite.generation.metrics
        }
        reference, asked = _one_or_all(row.references), prompt_text(row)
        records.append(Record(run.suite.name, run.subject, index, asked, answer, reference, scores, tokens=tokens))
    return records


def _perplexity(run: _Run) -> list[Record]:
    assert run.suite.perplexity  # noqa: S101
    rows: list[Scored] = _encoded(run.questions, text_encoder(run.tokenizer, run.suite.perplexity.max_length))
    _require_embedded(run.model, run.tokenizer, [row.ids for row in rows])
    with diverging(run.subject, lambda row: run.questions[row].place):
        found = log_likelihoods(run.model, rows, padding_token(run.model, run.tokenizer), run.batch_size, run.done)
    return [
        Record(run.suite.name, run.subject, index, _shown(question.row), nll=one.nll, tokens=one.tokens)
        for index, (question, one) in enumerate(zip(run.questions, found, strict=True))
    ]


def _choice(run: _Run) -> list[Record]:
    found = _compared(run, _encoded(run.questions, lambda row: choice_ids(run.tokenizer, row)), "choice")
    records = []
    for index, (question, likelihoods) in enumerate(zip(run.questions, found, strict=True)):
        row = question.row
        assert isinstance(row, ChoiceRow)  # noqa: S101
        per_byte = [-one.nll / len(choice.encode()) for one, choice in zip(likelihoods, row.choices, strict=True)]
        best = per_byte.index(max(per_byte))
        right = {"accuracy": float(best == row.answer)}
        tokens = sum(one.tokens for one in likelihoods)
        answer, reference = row.choices[best], row.choices[row.answer]
        records.append(
            Record(run.suite.name, run.subject, index, row.question, answer, reference, right, tokens=tokens)
        )
    return records


def _preference(run: _Run) -> list[Record]:
    assert run.suite.preference  # noqa: S101
    encoded: list[list[Scored]] = _encoded(run.questions, lambda row: answer_ids(run.tokenizer, row))
    scores = None if head_of(run.model) is None else _rewards(run, encoded)
    compared = scores or _likelihoods(run, encoded, run.suite.preference.length_normalized)
    records = []
    for index, (question, (chosen, *others)) in enumerate(zip(run.questions, compared, strict=True)):
        row = question.row
        assert isinstance(row, Preference)  # noqa: S101
        best = 0 if chosen > max(others) else 1 + others.index(max(others))
        said = [turns[-1].content for turns in row.conversations]
        records.append(
            Record(
                run.suite.name,
                run.subject,
                index,
                row.prompt[-1].content,
                said[best],
                said[0],
                {"preference_accuracy": float(best == 0)},
                tokens=sum(sum(one.scored) for one in encoded[index]),
                scores=scores[index] if scores else None,
            )
        )
    return records


def _likelihoods(run: _Run, encoded: Sequence[list[Scored]], per_token: bool) -> list[list[float]]:
    """log p of each row's answers, in nats, or of their tokens on average."""
    found = _compared(run, encoded, "answer")
    return [[-one.nll / (one.tokens if per_token else 1) for one in several] for several in found]


def _rewards(run: _Run, encoded: Sequence[list[Scored]]) -> list[list[float]]:
    """The score that a reward model has for each row's conversations."""
    flat, places = _flat(run, encoded)
    with diverging(run.subject, places.__getitem__):
        padding, count = padding_token(run.model, run.tokenizer), _by_share(run, len(flat))
        scores = iter(text_scores(run.model, [one.ids for one in flat], padding, run.batch_size, count))
    return [[next(scores)[0] for _ in several] for several in encoded]


def _retrieval(run: _Run) -> list[Record]:
    assert run.suite.retrieval  # noqa: S101
    rows = [question.row for question in run.questions if isinstance(question.row, Relevance)]
    encode = relevance_encoder(run.tokenizer, run.embedder, run.suite.retrieval.max_length)
    texts = texts_of(rows, _encoded(run.questions, encode))
    _require_embedded(run.model, run.tokenizer, texts.ids)
    padding, count = padding_token(run.model, run.tokenizer), _by_share(run, len(texts.ids))
    with diverging(run.subject, lambda text: run.questions[texts.rows[text]].place):
        vectors = text_vectors(run.model, texts.ids, run.embedder.pooling, padding, run.batch_size, count)
    found = rankings(rows, texts, vectors, all_documents=run.suite.retrieval.corpus == "all")
    return [
        Record(
            run.suite.name,
            run.subject,
            index,
            row.query,
            one.first,
            _one_or_all(row.positives),
            one.metrics,
            tokens=len(texts.ids[index]),
        )
        for index, (row, one) in enumerate(zip(rows, found, strict=True))
    ]


def _classification(run: _Run) -> list[Record]:
    head = head_of(run.model)
    assert run.suite.classification  # noqa: S101
    assert head  # noqa: S101  (subjects_of refuses others)
    encode = class_encoder(run.tokenizer, head, run.suite.classification.max_length)
    rows: list[Classified] = _encoded(run.questions, encode)
    _require_embedded(run.model, run.tokenizer, [row.ids for row in rows])
    with diverging(run.subject, lambda row: run.questions[row].place):
        padding = padding_token(run.model, run.tokenizer)
        scores = text_scores(run.model, [row.ids for row in rows], padding, run.batch_size, run.done)
    records = []
    for index, (question, row, scored) in enumerate(zip(run.questions, rows, scores, strict=True)):
        found = predicted(scored, head)
        records.append(
            Record(
                run.suite.name,
                run.subject,
                index,
                _shown(question.row),
                ", ".join(found),
                ", ".join(row.classes),
                {"accuracy": float(found == row.classes)},
                tokens=len(row.ids),
                scores=scored,
            )
        )
    return records


def _by_share(run: _Run, count: int) -> Done:
    """Counts rows where a batch counts the sequences, `count` in all, that they become: a row is done with its share of
    them."""
    ratio, reached = len(run.questions) / count, [0, 0]

    def done(sequences: int) -> None:
        reached[0] += sequences
        rows = round(reached[0] * ratio)
        run.done(rows - reached[1])
        reached[1] = rows

    return done


def _compared(run: _Run, encoded: Sequence[list[Scored]], what: str) -> list[list[Likelihood]]:
    """The likelihoods of each row's sequences, of which one is the likeliest. what: they are. Raises InvalidInput."""
    flat, places = _flat(run, encoded)
    with diverging(run.subject, places.__getitem__):
        padding, count = padding_token(run.model, run.tokenizer), _by_share(run, len(flat))
        found = iter(log_likelihoods(run.model, flat, padding, run.batch_size, count))
    compared = [[next(found) for _ in several] for several in encoded]
    undecided = [
        f"{run.subject}: {question.place}: every {what} has the probability zero; "
        f"give {what}s of tokens that the model does not mask"
        for question, several in zip(run.questions, compared, strict=True)
        if all(one.nll == math.inf for one in several)
    ]
    if undecided:
        raise InvalidInput(undecided)
    return compared


def _flat(run: _Run, encoded: Sequence[list[Scored]]) -> tuple[list[Scored], list[str]]:
    """All rows' sequences one after the other, and where each is from. Raises InvalidInput."""
    flat = [sequence for several in encoded for sequence in several]
    _require_embedded(run.model, run.tokenizer, [sequence.ids for sequence in flat])
    return flat, [question.place for question, several in zip(run.questions, encoded, strict=True) for _ in several]


def _one_or_all(texts: list[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else texts


def _shown(row: Row) -> str:
    """A scored text for people: its beginning."""
    if isinstance(row, Labelled):
        text = "\n".join(row.texts)
    else:
        assert isinstance(row, PerplexityRow)  # noqa: S101
        text = row.text if row.text is not None else "\n".join(turn.content for turn in row.turns or [])
    return text if len(text) <= 200 else text[:200] + "…"
