"""What the learning of rerankers makes of a row: its query with each of its documents."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.encode import IGNORED, DroppedError, Encoded
from swiftlet_trainer.data.examples import Relevance, Shape
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.reranker import PairPrompt, verdict_tokens
from swiftlet_trainer.tasks.score.rows import unpadded
from swiftlet_trainer.tasks.sft.rows import by_template
from swiftlet_trainer.templates.prompt_template import PromptTemplate
from swiftlet_trainer.templates.segments import Rendered, Segments


def rows(document: TrainDocument, tokenizer: Any, segments: Segments) -> "RerankerRows":
    """Of a document with the block task.reranker. Raises InvalidInput for words that are no single token."""
    block = document.task.reranker
    assert block  # noqa: S101
    if block.generative:
        verdict_tokens(block, segments)
    return RerankerRows(PairPrompt(block, document.template.system), tokenizer, segments)


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


class RerankerRows:
    """Texts of a query and a document, which are scored where they end; or, of a language model, questions, which it
    answers there.

    pointwise: each for itself, with its grade. listwise: a group for each positive, with the row's negatives.
    """

    shape: Shape = "relevance"
    warnings: tuple[str, ...] = ()

    def __init__(self, prompt: PairPrompt, tokenizer: Any, segments: Segments) -> None:
        self._prompt, self._block = prompt, prompt.block
        self._segments, self._pad_token_id = segments, tokenizer.pad_token_id
        asks = prompt.block.generative and tokenizer.chat_template
        self._template = PromptTemplate(tokenizer) if asks else None
        self._ending = segments.inference(self._template.behind_question()) if self._template else []

    def rendered(self, example: Relevance) -> list[Rendered]:
        """The query with each document and its grade. Raises RowError where the loss cannot learn from the row."""
        if problem := self._problem(example):
            raise RowError(problem)
        return [
            replace(self._written(example.query, text), targets=(grade,))
            for text, grade in zip(example.documents, example.grades, strict=True)
        ]

    def _written(self, query: str, document: str) -> Rendered:
        if self._template is None:
            return Rendered(self._prompt.text(query, document), [], is_plain=True)
        turns, template = self._prompt.turns(query, document), self._template
        return by_template(
            turns, self._segments.special, lambda said, _: Rendered(template.text(said, prompt=True), [])
        )

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
        if rendered.is_plain and (self._block.generative or not self._segments.end):
            ids = ids[: len(ids) - len(self._segments.eos)]
        found = Encoded(ids, [IGNORED] * len(ids), targets=list(rendered.targets or ()))
        return found if self._block.generative else unpadded(found, self._pad_token_id)

    def grouped(self, sequences: Sequence[Encoded]) -> list[Encoded]:
        """As the class says. Raises DroppedError where a positive and a negative are the same tokens."""
        sequences = [self._ended(one) for one in sequences]
        positives = [one for one in sequences if (one.targets or [0])[0] > 0]
        negatives = [one for one in sequences if (one.targets or [0])[0] <= 0]
        if any(one.input_ids == other.input_ids for one in positives for other in negatives):
            raise DroppedError("same_texts", "a positive and a negative are the same tokens; nothing tells them apart")
        kept = negatives[: self._block.max_negative_samples]
        if self._block.loss_type == "pointwise":
            return [*positives, *kept]
        return [_group([one, *kept]) for one in positives]

    def _ended(self, text: Encoded) -> Encoded:
        """A question that was cut ends as others do. Raises DroppedError where nothing else would be left of it."""
        ids, end = text.input_ids, self._ending
        if not end or ids[-len(end) :] == end:
            return text
        if len(ids) <= len(end):
            raise DroppedError("too_long", f"{len(end)} tokens of the chat template alone; raise template.maxLength")
        return replace(text, input_ids=[*ids[: -len(end)], *end])


def _group(texts: Sequence[Encoded]) -> Encoded:
    ids = [token for text in texts for token in text.input_ids]
    return Encoded(ids, [IGNORED] * len(ids), [len(text.input_ids) for text in texts], [1.0])
