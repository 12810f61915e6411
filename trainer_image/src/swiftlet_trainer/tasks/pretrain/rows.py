"""Rows are texts, of which every token is learnt."""

from typing import Any

from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.examples import Example
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.tasks.sft.rows import SftRows, target_notes
from swiftlet_trainer.templates.segments import Rendered, Segments

__all__ = ["TextRows", "rows", "target_notes"]


def rows(document: TrainDocument, tokenizer: Any, segments: Segments) -> "TextRows":
    """Of a document with the block task.pretrain."""
    return TextRows(tokenizer, segments, document.template, assistant_only=False, channelled=document.task.has_channels)


class TextRows(SftRows):
    """Texts alone: what a chat template makes of turns is another task's."""

    def rendered(self, example: Example) -> list[Rendered]:
        """As text. Raises DroppedError, RowError."""
        if example.text is None:
            raise RowError(
                "the row has turns, and task pretrain learns from texts; give a text, or use task sft, with "
                "assistantOnlyLoss: false to learn every token of turns"
            )
        return super().rendered(example)
