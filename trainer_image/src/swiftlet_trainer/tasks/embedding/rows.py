"""What the learning of embeddings makes of a row: groups of a text and documents."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from swiftlet.api.v1alpha1.tasks.embedding import EmbeddingLoss, EmbeddingTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.encode import IGNORED, DroppedError, Encoded
from swiftlet_trainer.data.examples import Relevance, Shape
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.loading import model_folder
from swiftlet_trainer.models.vocabulary import hidden_size
from swiftlet_trainer.templates.segments import Rendered, Segments

RANGES: Mapping[EmbeddingLoss, tuple[float, float]] = {
    "contrastive": (0, 1),
    "online_contrastive": (0, 1),
    "cosine_similarity": (-1, 1),
}
"""Least and greatest score of a pair; any is fine where only its order counts."""
RANKED: tuple[EmbeddingLoss, ...] = ("infonce", "triplet")
"""Losses of positives and negatives, not of scored pairs."""


def rows(document: TrainDocument, _tokenizer: Any, segments: Segments) -> "EmbeddingRows":
    """Of a document with the block task.embedding. Raises InvalidInput for vectors longer than the model's."""
    block = document.task.embedding
    assert block  # noqa: S101
    size, longest = hidden_size(model_folder(document.model)), max(block.matryoshka_dims or [0])
    if size and longest > size:
        what = f"{longest} is more than the {size} numbers of the model's vectors"
        raise InvalidInput([f"task.embedding.matryoshkaDims: {what}; leave it out, or set at most {size}"])
    return EmbeddingRows(block, segments)


def target_notes(document: TrainDocument, scores: NDArray[np.float32]) -> list[str]:
    """Nothing to say. Raises InvalidInput where all training pairs have the same score, which a loss of scores would
    make all texts the same for."""
    block = document.task.embedding
    assert block  # noqa: S101
    if block.loss_type not in RANKED and len(set(scores.tolist())) == 1:
        what = f"all {len(scores):,} training pairs have the score {scores[0]:g}, and lossType {block.loss_type} learns"
        raise InvalidInput([f"datasets: {what} what differs; add pairs of other scores, or use infonce"])
    return []


class EmbeddingRows:
    """Texts as the tokenizer begins and ends them, behind the prompts of the block.

    infonce and triplet have a group for each positive: the query, the positive and the first hardNegatives negatives.
    The other losses have one for each document: the pair, with its score.
    """

    shape: Shape = "relevance"
    warnings: tuple[str, ...] = ()

    def __init__(self, block: EmbeddingTask, segments: Segments) -> None:
        self._block, self._segments = block, segments

    def rendered(self, example: Relevance) -> list[Rendered]:
        """The query and each document, with its score. Raises RowError where the loss cannot learn from the row."""
        if problem := self._problem(example):
            raise RowError(problem)
        asked = Rendered(f"{self._block.query_prompt}{example.query}", [], is_plain=True)
        return [
            asked,
            *(
                Rendered(f"{self._block.document_prompt}{text}", [], is_plain=True, targets=(grade,))
                for text, grade in zip(example.documents, example.grades, strict=True)
            ),
        ]

    def _problem(self, example: Relevance) -> str | None:
        name = self._block.loss_type
        if name not in RANKED:
            low, high = RANGES.get(name, (-float("inf"), float("inf")))
            outside = next((grade for grade in example.grades if not low <= grade <= high), None)
            what = f"score {outside} is not within {low:g} and {high:g}, of which lossType {name} is; scale it, or use"
            return None if outside is None else f"{what} cosent, to which only the order counts"
        if graded := next((grade for grade in example.grades if grade not in (0, 1)), None):
            return f"score {graded} is neither 0 nor 1, and lossType {name} has positives and negatives; use cosent"
        if not example.positives:
            return f"no positive in it, and lossType {name} learns what is close to what; add one"
        if not example.negatives and not (name == "infonce" and self._block.use_batch):
            return f"no negative in it, and lossType {name} compares with those of the row; add one, or use infonce"
        return None

    def labelled(self, parts: Sequence[list[int]], rendered: Rendered) -> Encoded:
        """A text's tokens, none of which is learnt itself; its score."""
        (ids,) = parts
        if len(self._segments.eos) > len(self._segments.end):
            ids = ids[: -len(self._segments.eos)]
        return Encoded(ids, [IGNORED] * len(ids), targets=list(rendered.targets or ()))

    def grouped(self, sequences: Sequence[Encoded]) -> list[Encoded]:
        """As the class says. Raises DroppedError where a positive and a negative are the same tokens."""
        query, *documents = (self._ended(one) for one in sequences)
        if self._block.loss_type not in RANKED:
            return [_group([query, one], one.targets) for one in documents]
        positives = [one for one in documents if one.targets == [1]]
        negatives = [one for one in documents if one.targets != [1]]
        if any(one.input_ids == other.input_ids for one in positives for other in negatives):
            raise DroppedError("same_texts", "a positive and a negative are the same tokens; nothing tells them apart")
        kept = negatives[: self._block.hard_negatives]
        return [_group([query, one, *kept], one.targets) for one in positives]

    def _ended(self, text: Encoded) -> Encoded:
        """A text that was cut ends as others do."""
        end = self._segments.end
        ids = [*text.input_ids[: len(text.input_ids) - len(end)], *end]
        return Encoded(ids, text.labels, targets=text.targets)


def _group(texts: Sequence[Encoded], targets: list[float] | None) -> Encoded:
    ids = [token for text in texts for token in text.input_ids]
    return Encoded(ids, [IGNORED] * len(ids), [len(text.input_ids) for text in texts], targets)
