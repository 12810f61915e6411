"""Suites of models that make vectors or scores of texts: rankings by the former, classes by the latter."""

from swiftlet_trainer.data.examples import Relevance
from swiftlet_trainer.evaluate.classes import Classified, class_encoder, predicted
from swiftlet_trainer.evaluate.finite import diverging
from swiftlet_trainer.evaluate.generation import padding_token
from swiftlet_trainer.evaluate.prompts import relevance_encoder
from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.retrieval import rankings, texts_of
from swiftlet_trainer.evaluate.run import Run, by_share, encoded_rows, one_or_all, require_embedded, shown
from swiftlet_trainer.evaluate.scores import head_of, text_scores
from swiftlet_trainer.evaluate.vectors import text_vectors


def retrieval(run: Run) -> list[Record]:
    """How documents are ranked for each query by their vectors."""
    assert run.suite.retrieval  # noqa: S101
    rows = [question.row for question in run.questions if isinstance(question.row, Relevance)]
    encode = relevance_encoder(run.tokenizer, run.embedder, run.suite.retrieval.max_length)
    texts = texts_of(rows, encoded_rows(run.questions, encode))
    require_embedded(run.model, run.tokenizer, texts.ids)
    padding, count = padding_token(run.model, run.tokenizer), by_share(run, len(texts.ids))
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
            one_or_all(row.positives),
            one.metrics,
            tokens=len(texts.ids[index]),
        )
        for index, (row, one) in enumerate(zip(rows, found, strict=True))
    ]


def classification(run: Run) -> list[Record]:
    """Which classes each text is given."""
    head = head_of(run.model)
    assert run.suite.classification  # noqa: S101
    assert head  # noqa: S101  (subjects_of refuses others)
    encode = class_encoder(run.tokenizer, head, run.suite.classification.max_length)
    rows: list[Classified] = encoded_rows(run.questions, encode)
    require_embedded(run.model, run.tokenizer, [row.ids for row in rows])
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
                shown(question.row),
                ", ".join(found),
                ", ".join(row.classes),
                {"accuracy": float(found == row.classes)},
                tokens=len(row.ids),
                scores=scored,
            )
        )
    return records
