"""Rows of single answers, each with whether it is good."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.data.encode import DroppedError, Encoded
from swiftlet_trainer.data.examples import Judgement, Preference, Shape
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.tasks.preference.rows import PairRows
from swiftlet_trainer.tasks.sft.rows import SftRows
from swiftlet_trainer.templates.segments import Rendered, Segments

MOST_UNEQUAL = 4 / 3
"""How much more one kind may weigh than the other (arXiv:2402.01306, section 4.2)."""


def rows(document: TrainDocument, tokenizer: Any, segments: Segments) -> "JudgedRows":
    """Of a document with the block task.kto."""
    return JudgedRows(SftRows(tokenizer, segments, document.template))


class JudgedRows(PairRows):
    """Answers that are good or bad; a row with a chosen and a rejected answer becomes one of each."""

    shape: Shape = "judgement"

    def rendered(self, example: Judgement | Preference) -> list[Rendered]:
        """The prompt with each of the answers. Raises DroppedError, RowError, UnsuitableTemplateError."""
        return [
            replace(one, targets=(float(is_good),))
            for one, is_good in zip(super().rendered(example), example.verdicts, strict=True)
        ]

    def labelled(self, parts: Sequence[list[int]], rendered: Rendered) -> Encoded:
        """The tokens of a sequence's segments, with labels on the answer, and whether that is good."""
        return replace(super().labelled(parts, rendered), targets=[*(rendered.targets or ())])

    def grouped(self, sequences: Sequence[Encoded]) -> list[Encoded]:
        """Each for itself. Raises DroppedError where one answer would be good and bad."""
        if any(other.input_ids == sequences[0].input_ids for other in sequences[1:]):
            raise DroppedError("same_answers", "chosen and rejected are the same tokens; neither is good or bad")
        return list(sequences)


def target_notes(document: TrainDocument, targets: NDArray[np.float32]) -> list[str]:
    """What the user should know of how many training rows are good, 1, or bad, 0. Raises InvalidInput for one kind."""
    block = document.task.kto
    assert block  # noqa: S101
    good = int(np.count_nonzero(targets))
    bad = len(targets) - good
    if not good or not bad:
        kind, other = ("bad", "good") if bad else ("good", "bad")
        what = f"all {len(targets):,} training rows are of {kind} answers, and task kto learns from both kinds"
        raise InvalidInput([f"datasets: {what}; add rows of {other} ones, or use task sft to learn good ones alone"])
    ratio = block.desirable_weight * good / (block.undesirable_weight * bad)
    if 1 / MOST_UNEQUAL <= ratio <= MOST_UNEQUAL:
        return []
    balanced = (
        f"desirableWeight: {block.undesirable_weight * bad / good:.3g}, or undesirableWeight: "
        f"{block.desirable_weight * good / bad:.3g}"
    )
    return [f"{good:,} training rows are of good answers and {bad:,} of bad ones; kinds weigh the same with {balanced}"]
