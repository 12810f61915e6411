"""Rows are texts and conversations, each with its label."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from swiftlet.api.v1alpha1.finetunejob import Template
from swiftlet.api.v1alpha1.tasks.seq_cls import SeqClsTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.answers import require_whole
from swiftlet_trainer.data.encode import Encoded
from swiftlet_trainer.data.examples import Example, Labelled, Shape
from swiftlet_trainer.data.labelled import targets_of
from swiftlet_trainer.models.scores import ScoreHead, head_of_task
from swiftlet_trainer.tasks.score.rows import unpadded
from swiftlet_trainer.tasks.sft.rows import SftRows
from swiftlet_trainer.templates.segments import Rendered, Segments


def rows(document: TrainDocument, tokenizer: Any, segments: Segments) -> "LabelledRows":
    """Of a document with the block task.seqCls."""
    head = head_of_task(document.task)
    assert head  # noqa: S101
    return LabelledRows(tokenizer, segments, head, document.template)


def target_notes(document: TrainDocument, targets: NDArray[np.float32]) -> list[str]:
    """Classes that no training row has."""
    block = document.task.seq_cls or SeqClsTask()
    if block.problem_type == "regression":
        return []
    if block.problem_type == "multi_label_classification":
        counts = targets.reshape(-1, len(block.score_names)).sum(0)
    else:
        counts = np.bincount(targets.astype(np.int64), minlength=len(block.score_names))
    lacking = [name for name, count in zip(block.score_names, counts, strict=True) if not count]
    return [f"no training row has the label {', '.join(lacking)}; nothing is learnt of it"] if lacking else []


class LabelledRows:
    """Whole texts and conversations, which are scored where they end."""

    shape: Shape = "labelled"

    def __init__(self, tokenizer: Any, segments: Segments, head: ScoreHead, template: Template | None = None) -> None:
        self._conversations = SftRows(tokenizer, segments, template or Template(), assistant_only=False)
        self._head, self._pad_token_id = head, tokenizer.pad_token_id
        # The tokenizer's users get no end of text that it does not write itself.
        self._eos = [] if segments.end else segments.eos

    @property
    def warnings(self) -> list[str]:
        """Nothing is answered, so there is nothing to say of how answers end."""
        return []

    def rendered(self, example: Labelled) -> list[Rendered]:
        """The text, with its targets. Raises DroppedError, RowError, UnsuitableTemplateError."""
        targets = targets_of(example.label, self._head.labels, self._head.problem_type)
        return [replace(self.unlabelled(example.example), targets=targets)]

    def unlabelled(self, example: Example) -> Rendered:
        """The text alone. Raises DroppedError, RowError, UnsuitableTemplateError."""
        require_whole(example.weight, "the row")
        (rendered,) = self._conversations.rendered(example)
        return rendered

    def labelled(self, parts: Sequence[list[int]], rendered: Rendered) -> Encoded:
        """The tokens up to the one whose hidden state is scored."""
        found = self._conversations.labelled(parts, rendered)
        if rendered.is_plain and self._eos and found.input_ids[-1:] == self._eos and len(found.input_ids) > 1:
            found = found.part(0, len(found.input_ids) - 1)
        return unpadded(found, self._pad_token_id)

    def grouped(self, sequences: Sequence[Encoded]) -> list[Encoded]:
        """Each for itself."""
        return list(sequences)
