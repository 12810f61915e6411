"""Suites of models that say what follows a text: what they answer, and how likely they find what is there."""

import math
from collections.abc import Sequence

from swiftlet_trainer.evaluate.finite import diverging
from swiftlet_trainer.evaluate.generation import generate, padding_token
from swiftlet_trainer.evaluate.likelihood import Likelihood, Scored, log_likelihoods
from swiftlet_trainer.evaluate.metrics import GENERATION_METRICS
from swiftlet_trainer.evaluate.prompts import choice_ids, prompt_ids, prompt_text, text_encoder
from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.rows import ChoiceRow, GenerationRow
from swiftlet_trainer.evaluate.run import Run, by_share, encoded_rows, one_or_all, require_embedded, shown
from swiftlet_trainer.failures import InvalidInput


def generation(run: Run) -> list[Record]:
    """What the model answers to each prompt, and whether that is right."""
    assert run.suite.generation  # noqa: S101  (narrows the type; run_suite chose by it)
    prompts = encoded_rows(run.questions, lambda row: prompt_ids(run.tokenizer, row))
    require_embedded(run.model, run.tokenizer, prompts)
    with diverging(run.subject, lambda row: run.questions[row].place):
        answers = generate(run.model, run.tokenizer, prompts, run.suite.generation.max_tokens, run.batch_size, run.done)
    records = []
    for index, (question, (answer, tokens)) in enumerate(zip(run.questions, answers, strict=True)):
        row = question.row
        assert isinstance(row, GenerationRow)  # noqa: S101
        scores: dict[str, float] = {
            name: GENERATION_METRICS[name](answer, row.references) for name in run.suite.generation.metrics
        }
        reference, asked = one_or_all(row.references), prompt_text(row)
        records.append(Record(run.suite.name, run.subject, index, asked, answer, reference, scores, tokens=tokens))
    return records


def perplexity(run: Run) -> list[Record]:
    """How likely the model finds each text."""
    assert run.suite.perplexity  # noqa: S101
    rows: list[Scored] = encoded_rows(run.questions, text_encoder(run.tokenizer, run.suite.perplexity.max_length))
    require_embedded(run.model, run.tokenizer, [row.ids for row in rows])
    with diverging(run.subject, lambda row: run.questions[row].place):
        found = log_likelihoods(run.model, rows, padding_token(run.model, run.tokenizer), run.batch_size, run.done)
    return [
        Record(run.suite.name, run.subject, index, shown(question.row), nll=one.nll, tokens=one.tokens)
        for index, (question, one) in enumerate(zip(run.questions, found, strict=True))
    ]


def choice(run: Run) -> list[Record]:
    """Which of several answers the model finds the likeliest, per byte."""
    found = likelihoods_of(run, encoded_rows(run.questions, lambda row: choice_ids(run.tokenizer, row)), "choice")
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


def likelihoods_of(run: Run, encoded: Sequence[list[Scored]], what: str) -> list[list[Likelihood]]:
    """The likelihoods of each row's sequences, of which one is the likeliest. what: they are. Raises InvalidInput."""
    flat, places = flattened(run, encoded)
    with diverging(run.subject, places.__getitem__):
        padding, count = padding_token(run.model, run.tokenizer), by_share(run, len(flat))
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


def flattened(run: Run, encoded: Sequence[list[Scored]]) -> tuple[list[Scored], list[str]]:
    """All rows' sequences one after the other, and where each is from. Raises InvalidInput."""
    flat = [sequence for several in encoded for sequence in several]
    require_embedded(run.model, run.tokenizer, [sequence.ids for sequence in flat])
    return flat, [question.place for question, several in zip(run.questions, encoded, strict=True) for _ in several]
