"""What the learning of rerankers makes of a row: its query with each of its documents."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from swiftlet.api.tasks.reranker import RerankerTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.encode import IGNORED, DroppedError, Encoded
from swiftlet_trainer.data.examples import Relevance, Shape
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.tasks.score.rows import unpadded
from swiftlet_trainer.templates.segments import Rendered, Segments


def rows(document: TrainDocument, tokenizer: Any, segments: Segments) -> "RerankerRows":
    """Of a document with the block task.reranker."""
    assert document.task.reranker  # noqa: S101
    return RerankerRows(document.task.reranker, segments, tokenizer.pad_token_id)


def target_notes(document: TrainDocument, grades: NDArray[np.float32]) -> list[str]:
    """Nothing to say. Raises InvalidInput where pointwise learns that everything is as relevant."""
    block = document.task.reranker
    assert block  # noqa: S101
    if block.loss_type == "pointwise" and len(set(grades.tolist())) == 1:
        what = (
            f"all {len(grades):,} documents of training rows have the grade {grades[0]:g}, and nothing tells them apart"
        )
        raise InvalidInput([f"datasets: {what}; add documents that are less relevant, or more"])
    return []


def written(block: RerankerTask, query: str, document: str) -> str:
    """The text that is scored."""
    return f"{block.query_prompt}{query}{block.document_prompt}{document}"


class RerankerRows:
    """Texts of a query and a document, which are scored where they end.

    pointwise: each for itself, with its grade. listwise: a group for each positive, with the row's negatives.
    """

    shape: Shape = "relevance"
    warnings: tuple[str, ...] = ()

    def __init__(self, block: RerankerTask, segments: Segments, pad_token_id: int | None) -> None:
        self._block, self._segments, self._pad_token_id = block, segments, pad_token_id

    def rendered(self, example: Relevance) -> list[Rendered]:
        """The query with each document and its grade. Raises RowError where the loss cannot learn from the row."""
        if problem := self._problem(example):
            raise RowError(problem)
        return [
            Rendered(written(self._block, example.query, text), [], is_plain=True, targets=(grade,))
            for text, grade in zip(example.documents, example.grades, strict=True)
        ]

    def _problem(self, example: Relevance) -> str | None:
        name = self._block.loss_type
        if outside := next((grade for grade in example.grades if not 0 <= grade <= 1), None):
            return f"score {outside} is not within 0 and 1, of which lossType {name} is; scale it"
        if name == "pointwise":
            return None
        if graded := next((grade for grade in example.grades if grade not in (0, 1)), None):
            return (
                f"score {graded} is neither 0 nor 1, and lossType listwise has positives and negatives; use pointwise"
            )
        if not example.positives or not example.negatives:
            lacking = "negative" if example.positives else "positive"
            return f"no {lacking} in it, and lossType listwise chooses one among the others; add one, or use pointwise"
        return None

    def labelled(self, parts: Sequence[list[int]], rendered: Rendered) -> Encoded:
        """A text's tokens up to the one whose hidden state is scored, none of which is learnt itself; its grade."""
        (ids,) = parts
        if len(self._segments.eos) > len(self._segments.end):
            ids = ids[: -len(self._segments.eos)]
        found = Encoded(ids, [IGNORED] * len(ids), targets=list(rendered.targets or ()))
        return unpadded(found, self._pad_token_id)

    def grouped(self, sequences: Sequence[Encoded]) -> list[Encoded]:
        """As the class says. Raises DroppedError where a positive and a negative are the same tokens."""
        positives = [one for one in sequences if (one.targets or [0])[0] > 0]
        negatives = [one for one in sequences if (one.targets or [0])[0] <= 0]
        if any(one.input_ids == other.input_ids for one in positives for other in negatives):
            raise DroppedError("same_texts", "a positive and a negative are the same tokens; nothing tells them apart")
        kept = negatives[: self._block.max_negative_samples]
        if self._block.loss_type == "pointwise":
            return [*positives, *kept]
        return [_group([one, *kept]) for one in positives]


def _group(texts: Sequence[Encoded]) -> Encoded:
    ids = [token for text in texts for token in text.input_ids]
    return Encoded(ids, [IGNORED] * len(ids), [len(text.input_ids) for text in texts], [1.0])
