"""What is computed of texts: by the functions that evaluation computes it by."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from swiftlet_trainer.data.examples import Example
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.evaluate.classes import scored_encoder
from swiftlet_trainer.evaluate.prompts import embedded_encoder
from swiftlet_trainer.evaluate.rows import UnusableRowError
from swiftlet_trainer.evaluate.scores import text_scores
from swiftlet_trainer.evaluate.vectors import text_vectors
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.embedder import Embedder
from swiftlet_trainer.models.reranker import PairPrompt
from swiftlet_trainer.models.scores import ScoreHead
from swiftlet_trainer.serve.openai_requests import Refused

Text = str | list[int] | tuple[Turn, ...]
"""A text, its token ids, or a conversation."""


class PoolingHead(ABC):
    """One way of making values of texts."""

    def __init__(self, pad_id: int, batch_size: int) -> None:
        """pad_id: behind shorter texts of a pass. batch_size: most texts of one."""
        self._pad_id, self._batch_size = pad_id, batch_size

    @abstractmethod
    def values(self, model: Any, name: str, texts: Sequence[list[int]]) -> torch.Tensor:
        """Of each text, fp32, (texts, values), by the model as `name`. Raises NotFiniteError."""

    @abstractmethod
    def encoded(self, text: str | tuple[Turn, ...], field: str, limit: int | None) -> list[int]:
        """Its tokens as training has them, at most `limit`. Raises Refused with `field` to blame."""


class Vectors(PoolingHead):
    """A vector of length 1, as the embedder of each served name says. dimensions: of each name, lengths of beginnings
    of its vectors that are vectors, too."""

    def __init__(
        self,
        tokenizer: Any,
        embedders: Mapping[str, Embedder],
        dimensions: Mapping[str, Sequence[int]],
        pad_id: int,
        batch_size: int,
    ) -> None:
        super().__init__(pad_id, batch_size)
        self.embedders, self.dimensions = embedders, dimensions
        self._encode = embedded_encoder(tokenizer)

    def values(self, model: Any, name: str, texts: Sequence[list[int]]) -> torch.Tensor:
        return text_vectors(model, texts, self.embedders[name].pooling, self._pad_id, self._batch_size)

    def encoded(self, text: str | tuple[Turn, ...], field: str, limit: int | None) -> list[int]:
        if not isinstance(text, str):
            raise Refused("messages: the model makes vectors of texts, not of conversations; give input", "messages")
        return _read(lambda: self._encode(text, limit), field)


class Scores(PoolingHead):
    """Scores, as evaluation has them: what no function has made probabilities of. rerankers: of each name, how a query
    and a document become a text; empty where scores are of other things."""

    def __init__(
        self,
        tokenizer: Any,
        head: ScoreHead,
        rerankers: Mapping[str, PairPrompt],
        pad_id: int,
        batch_size: int,
    ) -> None:
        super().__init__(pad_id, batch_size)
        self.head, self.rerankers = head, rerankers
        self._encode = scored_encoder(tokenizer, head)

    def values(self, model: Any, name: str, texts: Sequence[list[int]]) -> torch.Tensor:
        return torch.tensor(text_scores(model, texts, self._pad_id, self._batch_size))

    def encoded(self, text: str | tuple[Turn, ...], field: str, limit: int | None) -> list[int]:
        if self.rerankers and not isinstance(text, str):
            raise Refused("messages: a reranker reads a query and a document; ask /score or /rerank", "messages")
        example = Example([], text) if isinstance(text, str) else Example(list(text))
        return _read(lambda: self._encode(example)[:limit], field)


def _read(encode: Any, field: str) -> list[int]:
    try:
        ids: list[int] = encode()
    except (UnusableRowError, InvalidInput) as error:
        raise Refused(f"{field}: {error}", field) from None
    return ids
