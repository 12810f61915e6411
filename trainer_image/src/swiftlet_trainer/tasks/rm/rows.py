"""Rows are pairs of answers, each with the margin by which the chosen one is to be ahead."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.encode import Encoded
from swiftlet_trainer.data.examples import Judgement, Preference, Shape
from swiftlet_trainer.tasks.preference.rows import PairRows
from swiftlet_trainer.tasks.score.rows import unpadded
from swiftlet_trainer.tasks.sft.rows import SftRows
from swiftlet_trainer.templates.segments import Rendered, Segments


def rows(document: TrainDocument, tokenizer: Any, segments: Segments) -> "RewardRows":
    """Of a document with the block task.rm."""
    return RewardRows(SftRows(tokenizer, segments, document.template), tokenizer.pad_token_id)


def target_notes(_document: TrainDocument, _margins: NDArray[np.float32]) -> list[str]:
    """Any margins will do."""
    return []


class RewardRows(PairRows):
    """Pairs of conversations, which are scored where they end."""

    shape: Shape = "margin"

    def __init__(self, conversations: SftRows, pad_token_id: int | None) -> None:
        super().__init__(conversations)
        self._pad_token_id = pad_token_id

    def rendered(self, example: Preference | Judgement) -> list[Rendered]:
        """The prompt with each of the answers. Raises as PairRows' does."""
        targets = (example.margin or 0.0 if isinstance(example, Preference) else 0.0,)
        return [replace(one, targets=targets) for one in super().rendered(example)]

    def labelled(self, parts: Sequence[list[int]], rendered: Rendered) -> Encoded:
        """The tokens of a sequence's segments, up to the one whose hidden state is scored."""
        return unpadded(super().labelled(parts, rendered), self._pad_token_id)
