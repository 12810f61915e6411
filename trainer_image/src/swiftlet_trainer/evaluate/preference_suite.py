"""The suite of preferences: whether the chosen answer is ahead, by its likelihood or by a reward model's score."""

from collections.abc import Sequence

from swiftlet_trainer.data.examples import Preference
from swiftlet_trainer.evaluate.finite import diverging
from swiftlet_trainer.evaluate.generation import padding_token
from swiftlet_trainer.evaluate.language_suites import flattened, likelihoods_of
from swiftlet_trainer.evaluate.likelihood import Scored
from swiftlet_trainer.evaluate.prompts import answer_ids
from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.run import Run, by_share, encoded_rows
from swiftlet_trainer.evaluate.scores import head_of, text_scores


def preference(run: Run) -> list[Record]:
    """Whether the chosen answer of each row is ahead of all others."""
    assert run.suite.preference  # noqa: S101
    encoded: list[list[Scored]] = encoded_rows(run.questions, lambda row: answer_ids(run.tokenizer, row))
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


def _likelihoods(run: Run, encoded: Sequence[list[Scored]], per_token: bool) -> list[list[float]]:
    """log p of each row's answers, in nats, or of their tokens on average."""
    found = likelihoods_of(run, encoded, "answer")
    return [[-one.nll / (one.tokens if per_token else 1) for one in several] for several in found]


def _rewards(run: Run, encoded: Sequence[list[Scored]]) -> list[list[float]]:
    """The score that a reward model has for each row's conversations."""
    flat, places = flattened(run, encoded)
    with diverging(run.subject, places.__getitem__):
        padding, count = padding_token(run.model, run.tokenizer), by_share(run, len(flat))
        scores = iter(text_scores(run.model, [one.ids for one in flat], padding, run.batch_size, count))
    return [[next(scores)[0] for _ in several] for several in encoded]
