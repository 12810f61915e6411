"""Rows on their way to training, as people see them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from swiftlet.api.v1alpha1.tasks import Task
from swiftlet.wire.documents import TrainDocument
from swiftlet.wire.preview import PreviewSegment, PreviewSequence, PreviewToken

from swiftlet_trainer.data.encode import IGNORED, Encoded, Traced
from swiftlet_trainer.models.scores import head_of_task
from swiftlet_trainer.preview.pieces import Pieces
from swiftlet_trainer.templates.segments import Rendered


@dataclass(frozen=True)
class Learnt:
    """One sequence of tokens of a row, and what it was made from. bounds: where its segments begin and end, as far as
    they are left. cut: tokens that were cut off its end."""

    ids: list[int]
    weights: list[float]
    rendered: Rendered
    parts: list[list[int]]
    bounds: list[int]
    cut: int

    @property
    def learnt(self) -> int:
        """How many of its tokens are learnt."""
        return sum(weight > 0 for weight in self.weights)

    @property
    def answers(self) -> list[int]:
        """The number of each segment of which anything is learnt, but of prompts; a plain text is one."""
        first = 0 if self.rendered.is_plain else 1
        return [
            at for at in range(first, len(self.bounds) - 1, 2) if any(self.weights[slice(*self.bounds[at : at + 2])])
        ]


def learnt_of(traced: Traced, limit: int) -> list[list[Learnt]]:
    """The sequences of each row that was made of one row of a data set. limit: of tokens of a sequence."""
    return [list(_sequences(row, traced, limit)) for row in traced.rows]


def _sequences(row: Encoded, traced: Traced, limit: int) -> Iterator[Learnt]:
    own = row.weights or [1.0] * len(row.labels)
    weights = [weight if label != IGNORED else 0.0 for weight, label in zip(own, row.labels, strict=True)]
    ends = [*accumulate(row.lengths or [len(row.input_ids)], initial=0)]
    for start, end in pairwise(ends):
        # The first token is predicted from nothing.
        yield _matched(row.input_ids[start:end], [0.0, *weights[start + 1 : end]], traced, limit)


def is_split(traced: Traced) -> bool:
    """Whether a long text became several rows."""
    return len(traced.parts) == 1 < len(traced.rows)


def _matched(ids: list[int], weights: list[float], traced: Traced, limit: int) -> Learnt:
    """With the sequence of the row that it is the beginning of, or a piece."""
    for rendered, parts in zip(traced.rendered, traced.parts, strict=True):
        whole = [token for part in parts for token in part]
        if whole[: len(ids)] == ids:
            bounds = [0]
            for part in parts:
                bounds.append(min(bounds[-1] + len(part), len(ids)))
            cut = len(whole) - len(ids) if len(whole) > limit and not is_split(traced) else 0
            return Learnt(ids, weights, rendered, parts, bounds, cut)
    return Learnt(ids, weights, traced.rendered[0], traced.parts[0], [0, len(ids)], 0)


def shown_sequences(sequences: Sequence[Learnt], task: str, pieces: Pieces) -> list[PreviewSequence]:
    """The sequences of a row with the text of each token."""
    names = (Task.block_named(task).compared or ("",)) if len(sequences) > 1 else ("",)
    return [
        PreviewSequence(name=names[min(index, len(names) - 1)], cut=one.cut, segments=list(_segments(one, pieces)))
        for index, one in enumerate(sequences)
    ]


def _segments(one: Learnt, pieces: Pieces) -> Iterator[PreviewSegment]:
    for number, (start, end) in enumerate(pairwise(one.bounds)):
        tokens = [
            PreviewToken(id=token, text=pieces.text(token), weight=weight, control=token in pieces.control)
            for token, weight in zip(one.ids[start:end], one.weights[start:end], strict=True)
        ]
        if tokens:
            kind = "answer" if number % 2 else "text" if len(one.parts) == 1 else "prompt"
            yield PreviewSegment(kind=kind, tokens=tokens)


def label_of(document: TrainDocument, targets: Sequence[float] | None, channels: Sequence[str]) -> str | None:
    """What is to come out for a row, in words. channels: the names of those that rows are told apart by."""
    task = document.task
    if not targets or not task.has_targets:
        return None
    if task.has_channels:
        return f"channel {channels[int(targets[0])]}"
    if task.kto:
        return "good answer" if targets[0] else "bad answer"
    if task.seq_cls:
        return f"label {_classes(document, targets)}"
    block = task.embedding or task.reranker
    if block and block.loss_type in ("infonce", "triplet", "listwise"):
        return None
    return f"{'margin' if task.rm else 'score'} {targets[0]:g}"


def _classes(document: TrainDocument, targets: Sequence[float]) -> str:
    head = head_of_task(document.task)
    assert head  # noqa: S101
    if head.problem_type == "regression":
        return ", ".join(f"{name} {value:g}" for name, value in zip(head.labels, targets, strict=True))
    if head.problem_type == "multi_label_classification":
        return ", ".join(name for name, has in zip(head.labels, targets, strict=True) if has) or "none"
    return head.labels[int(targets[0])]
