"""Rows of methods that compare two answers: each becomes a group of two sequences, the chosen answer's first."""

from collections.abc import Sequence
from typing import Any

from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.encode import DroppedError, Encoded
from swiftlet_trainer.data.examples import Judgement, Preference, Shape
from swiftlet_trainer.tasks.sft.rows import SftRows
from swiftlet_trainer.templates.segments import Rendered, Segments


def rows(document: TrainDocument, tokenizer: Any, segments: Segments) -> "PairRows":
    """Of a document with the block of such a method."""
    return PairRows(SftRows(tokenizer, segments, document.template))


class PairRows:
    """Pairs of a chosen answer and one that was rejected; a row with several of those becomes as many pairs.

    What is learnt are the answers: all turns of the assistant after the prompt.
    """

    shape: Shape = "preference"

    def __init__(self, conversations: SftRows) -> None:
        self._conversations = conversations

    @property
    def warnings(self) -> list[str]:
        """What the user should know of the chat template."""
        return self._conversations.warnings

    def rendered(self, example: Judgement | Preference) -> list[Rendered]:
        """The prompt with each of the answers. Raises DroppedError, RowError, UnsuitableTemplateError."""
        for turns, is_good in zip(example.conversations, example.verdicts, strict=True):
            if not (turns[-1].is_answer or turns[-1].content.strip()):
                raise DroppedError("empty_answer", f"the {'chosen' if is_good else 'rejected'} answer is empty")
        return [self._conversations.conversation(turns, example.tools) for turns in example.conversations]

    def labelled(self, parts: Sequence[list[int]], rendered: Rendered) -> Encoded:
        """The tokens of a sequence's segments, with labels on the answer."""
        return self._conversations.labelled(parts, rendered)

    def grouped(self, sequences: Sequence[Encoded]) -> list[Encoded]:
        """The chosen answer beside each of the others. Raises DroppedError where nothing tells them apart."""
        chosen, *others = sequences
        if any(other.input_ids == chosen.input_ids for other in others):
            what = f"chosen and rejected are the same {len(chosen.input_ids)} tokens; nothing is preferred to anything"
            raise DroppedError("same_answers", what)
        return [
            Encoded(
                chosen.input_ids + other.input_ids,
                chosen.labels + other.labels,
                [len(chosen.input_ids), len(other.input_ids)],
                chosen.targets,
            )
            for other in others
        ]
