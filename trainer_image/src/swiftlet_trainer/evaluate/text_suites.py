"""Suites of models that make vectors or scores of texts: rankings by the former, classes or figures by the latter."""

from collections.abc import Callable

import numpy as np

from swiftlet_trainer.data.examples import Relevance
from swiftlet_trainer.evaluate.classes import Classified, class_encoder, predicted, said
from swiftlet_trainer.evaluate.finite import diverging
from swiftlet_trainer.evaluate.generation import padding_token
from swiftlet_trainer.evaluate.prompts import pair_encoder, relevance_encoder, verdicts
from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.regression_figures import errors
from swiftlet_trainer.evaluate.retrieval import Found, candidates, ranking, rankings, texts_of
from swiftlet_trainer.evaluate.run import Run, by_share, encoded_rows, one_or_all, require_embedded, shown
from swiftlet_trainer.evaluate.scores import head_of, text_scores
from swiftlet_trainer.evaluate.vectors import text_vectors
from swiftlet_trainer.models.embedder import Embedder
from swiftlet_trainer.models.reranker import PairPrompt
from swiftlet_trainer.training.heads.odds import OddsHead


def retrieval(run: Run) -> list[Record]:
    """How documents are ranked for each query: by their vectors, or by the score of both together."""
    assert run.suite.retrieval  # noqa: S101
    rows = [question.row for question in run.questions if isinstance(question.row, Relevance)]
    among = candidates(rows, run.suite.retrieval.corpus == "all")
    if isinstance(run.reading, PairPrompt):
        found, tokens = _by_scores(run, rows, among, run.reading)
    else:
        found, tokens = _by_vectors(run, rows, among, run.reading)
    return [
        Record(
            run.suite.name,
            run.subject,
            index,
            row.query,
            one.first,
            one_or_all(row.positives),
            one.metrics,
            tokens=tokens[index],
        )
        for index, (row, one) in enumerate(zip(rows, found, strict=True))
    ]


def _by_vectors(
    run: Run, rows: list[Relevance], among: list[list[str]], embedder: Embedder
) -> tuple[list[Found], list[int]]:
    """The rankings, and the tokens of each query."""
    assert run.suite.retrieval  # noqa: S101
    encode = relevance_encoder(run.tokenizer, embedder, run.suite.retrieval.max_length)
    texts = texts_of(rows, encoded_rows(run.questions, encode))
    require_embedded(run.model, run.tokenizer, texts.ids)
    padding, count = padding_token(run.model, run.tokenizer), by_share(run, len(texts.ids))
    with diverging(run.subject, lambda text: run.questions[texts.rows[text]].place):
        vectors = text_vectors(run.model, texts.ids, embedder.pooling, padding, run.batch_size, count)
    return rankings(rows, among, texts, vectors), [len(texts.ids[index]) for index in range(len(rows))]


def _by_scores(
    run: Run, rows: list[Relevance], among: list[list[str]], prompt: PairPrompt
) -> tuple[list[Found], list[int]]:
    """The rankings, and the tokens of each query with all of its documents."""
    assert run.suite.retrieval  # noqa: S101
    encode, asked = pair_encoder(run.tokenizer, prompt, run.suite.retrieval.max_length), iter(among)
    pairs = encoded_rows(run.questions, lambda row: [encode(row.query, text) for text in next(asked)])
    odds = OddsHead(*verdicts(run.tokenizer, prompt)) if prompt.block.generative else None
    flat = [(index, ids) for index, several in enumerate(pairs) for ids in several]
    require_embedded(run.model, run.tokenizer, [ids for _, ids in flat])
    padding, count = padding_token(run.model, run.tokenizer), by_share(run, len(flat))
    with diverging(run.subject, lambda pair: run.questions[flat[pair][0]].place):
        scores = iter(text_scores(run.model, [ids for _, ids in flat], padding, run.batch_size, count, odds))
    found = [
        ranking(row, texts, np.array([next(scores)[0] for _ in texts])) for row, texts in zip(rows, among, strict=True)
    ]
    return found, [sum(map(len, several)) for several in pairs]


def classification(run: Run) -> list[Record]:
    """Which classes each text is given."""
    assert run.suite.classification  # noqa: S101
    return _scored(run, run.suite.classification.max_length, lambda given, known: {"accuracy": float(given == known)})


def regression(run: Run) -> list[Record]:
    """Which figures each text is given."""
    assert run.suite.regression  # noqa: S101
    return _scored(run, run.suite.regression.max_length, errors)


def _scored(run: Run, max_length: int, metrics: Callable[[list[float], list[float]], dict[str, float]]) -> list[Record]:
    """What the scores of each text are, and should be. metrics: of one text, from both."""
    head = head_of(run.model)
    assert head  # noqa: S101  (subjects_of refuses others)
    rows: list[Classified] = encoded_rows(run.questions, class_encoder(run.tokenizer, head, max_length))
    require_embedded(run.model, run.tokenizer, [row.ids for row in rows])
    with diverging(run.subject, lambda row: run.questions[row].place):
        padding = padding_token(run.model, run.tokenizer)
        scores = text_scores(run.model, [row.ids for row in rows], padding, run.batch_size, run.done)
    return [
        Record(
            run.suite.name,
            run.subject,
            index,
            shown(question.row),
            said(found := predicted(scored, head), head),
            said(row.expected, head),
            metrics(found, row.expected),
            tokens=len(row.ids),
            scores=scored,
            predicted=found,
            expected=row.expected,
        )
        for index, (question, row, scored) in enumerate(zip(run.questions, rows, scores, strict=True))
    ]
