"""The first rows of a training run as the tokens that would be learnt, with what the trainer found about them: what
`python -m swiftlet_trainer preview` leaves in the run's folder, and `swiftlet preview` shows."""

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from pydantic import Field

from swiftlet.api.base import ApiModel

PREVIEW_FILE, PREVIEW_PAGE = "preview.json", "preview.html"
"""Below the run's folder."""

State = Literal["ok", "warning", "failed"]


class PreviewToken(ApiModel):
    """text: of it alone, bytes that are no whole character as escapes. weight: in the loss, 0 where it is not learnt.
    control: whether it is one of the tokenizer's control tokens, and no text that looks like one."""

    id: int
    text: str
    weight: float
    control: bool = False


class PreviewSegment(ApiModel):
    """What a model is given, what it answers, or a text that is neither."""

    kind: Literal["prompt", "answer", "text"]
    tokens: list[PreviewToken]

    def runs(self) -> list[tuple[float, list[PreviewToken]]]:
        """Neighbours of one weight, and that."""
        return [(weight, list(tokens)) for weight, tokens in groupby(self.tokens, lambda token: token.weight)]


class PreviewSequence(ApiModel):
    """name: what it is in its row, such as chosen; empty where that is one sequence. cut: tokens that were cut off."""

    name: str
    cut: int
    segments: list[PreviewSegment]


class PreviewRow(ApiModel):
    """dataset: index in the document. place: `file:line`, or `file row number`. label: what is to come out for it, or
    its channel."""

    dataset: int
    place: str
    label: str | None = None
    sequences: list[PreviewSequence]

    @property
    def weights(self) -> list[float]:
        """Of all its tokens."""
        return [
            token.weight for sequence in self.sequences for segment in sequence.segments for token in segment.tokens
        ]


class PreviewDataset(ApiModel):
    """What became of the rows of a data set. whole: whether all of them were read. tokens, learnt: over usable rows.
    notes: rows that were left out, and keys that nobody read, by place."""

    uri: str
    split: str
    whole: bool
    read: int
    usable: int
    tokens: int
    learnt: int
    dropped: dict[str, int]
    notes: list[str]


class PreviewCheck(ApiModel):
    """One question that was asked of all rows that were read. places: rows that it is about, the first of them."""

    name: str
    state: State
    text: str
    places: list[str] = Field(default_factory=list)


class Preview(ApiModel):
    """problems: what keeps the run from starting, by place."""

    name: str
    model: str
    task: str
    learns_tokens: bool
    datasets: list[PreviewDataset]
    rows: list[PreviewRow]
    checks: list[PreviewCheck]
    problems: list[str]

    @property
    def is_good(self) -> bool:
        """Whether no check failed and nothing keeps the run from starting."""
        return not self.problems and all(check.state != "failed" for check in self.checks)


def summary(row: PreviewRow) -> str:
    """`36 tokens, 9 learnt, weights 0.5 to 2`."""
    weights = row.weights
    learnt = [weight for weight in weights if weight]
    parts = [f"{len(weights):,} tokens", f"{len(learnt):,} learnt"]
    return ", ".join([*parts, *([] if set(learnt) <= {1.0} else [span_of(learnt)])])


def span_of(weights: Sequence[float]) -> str:
    """`weight 2`, or `weights 0.5 to 2`."""
    low, high = min(weights), max(weights)
    return f"weight {low:g}" if low == high else f"weights {low:g} to {high:g}"
