"""From the rows of a data set to tokens and labels, batch by batch; every row is counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from swiftlet.api.finetunejob import Dataset, Template

from swiftlet_trainer.data.formats import FORMATS, Example, Format, converted, detect, key_book, unused_columns
from swiftlet_trainer.data.keys import KeyBook, RowError
from swiftlet_trainer.data.placeholders import substitute
from swiftlet_trainer.data.readers import BadRow, UnreadableFileError, is_numbered_by_line, read_rows
from swiftlet_trainer.data.tally import Tally
from swiftlet_trainer.templates.render import (
    UnsuitableTemplateError,
)
from swiftlet_trainer.templates.segments import Rendered, Segments, UnencodableError

ENCODER = 2
"""Raised when the same row becomes other tokens or labels."""
BATCH = 512
"""Rows that are tokenized at a time; the tokenizer uses all cores for a batch."""
IGNORED = -100
"""Label of a token that is not learnt (source: torch.nn.CrossEntropyLoss, ignore_index)."""


@dataclass(frozen=True)
class Encoded:
    """One row as tokens: ids and labels of the same length, IGNORED where nothing is learnt."""

    input_ids: list[int]
    labels: list[int]


class DroppedError(Exception):
    """A row that is left out by rule; the text says why."""

    def __init__(self, reason: str, what: str) -> None:
        self.reason = reason
        super().__init__(what)


class TaskRows(Protocol):
    """What a task makes of an example."""

    def rendered(self, example: Example) -> Rendered:
        """As text and the ranges that are answers. Raises DroppedError, RowError, UnsuitableTemplateError."""

    def labelled(self, parts: Sequence[list[int]], rendered: Rendered) -> Encoded:
        """The tokens of its segments as a row."""

    @property
    def warnings(self) -> list[str]:
        """What the user should know of the chat template."""


class Encoder:
    """Turns the rows of files into tokens, as a document's template and task say."""

    def __init__(self, rows: TaskRows, segments: Segments, template: Template, context: int | None = None) -> None:
        """rows: the task's. context: tokens that the model can tell the places of; rows beyond it are too long whatever
        maxLength is."""
        self._limit = min(template.max_length, context or template.max_length)
        within = "the model's context" if self._limit < template.max_length else "template.maxLength"
        remedy = "" if self._limit < template.max_length else "raise it, or "
        self._too_long = f"{within} is {self._limit}; {remedy}shorten the row"
        self._template = template
        self._rows, self._segments = rows, segments

    def encode(self, dataset: Dataset, file: Path, tally: Tally) -> Iterator[list[Encoded]]:
        """The rows of `file` as tokens, in batches and in order; what is left out or wrong goes to `tally`."""
        examples = self._examples(dataset, file, tally)
        while batch := list(islice(examples, BATCH)):
            yield list(self._tokens(batch, tally))

    def _examples(self, dataset: Dataset, file: Path, tally: Tally) -> Iterator[tuple[int, Rendered]]:
        tally.by_line = is_numbered_by_line(file)
        known: tuple[Format, KeyBook] | None = None
        try:
            for row in read_rows(file):
                tally.read += 1
                if isinstance(row, BadRow):
                    tally.problem(row.number, row.problem)
                    continue
                try:
                    known = known or _format(dataset, row.columns)
                    known[1].number = row.number
                    example = converted(row.columns, known[0], dataset.columns, known[1])
                    rendered = self._rendered(_filled(example, dataset.placeholders))
                except RowError as error:
                    tally.problem(row.number, str(error))
                    if known is None:
                        return  # of no known format: every row would say the same
                except DroppedError as drop:
                    tally.drop(row.number, drop.reason, str(drop))
                else:
                    yield row.number, rendered
        except (UnreadableFileError, UnsuitableTemplateError) as error:
            tally.refuse(str(error))
        if known:
            tally.unread = known[1].unread

    def _rendered(self, example: Example) -> Rendered:
        """The row as text and the ranges that are answers. Raises DroppedError, RowError, UnsuitableTemplateError."""
        contents = [turn.content for turn in example.turns] or [example.text or ""]
        if found := next((one for content in contents if (one := self._segments.special.reserved(content))), None):
            raise DroppedError("special_token", f"the text has U+{ord(found):X}, which is kept for our own use")
        if not any(content.strip() for content in contents):
            raise DroppedError("empty", "no text in it")
        return self._rows.rendered(example)

    def _tokens(self, batch: Sequence[tuple[int, Rendered]], tally: Tally) -> Iterator[Encoded]:
        parts = self._segments.encode([rendered for _, rendered in batch])
        for (number, rendered), found in zip(batch, parts, strict=True):
            if isinstance(found, UnencodableError):
                tally.drop(number, "special_token", f"{found}; write it otherwise")
                continue
            rows = list(self._limited(self._rows.labelled(found, rendered), rendered, number, tally))
            tally.kept += bool(rows)
            yield from rows

    def _limited(self, row: Encoded, rendered: Rendered, number: int, tally: Tally) -> Iterator[Encoded]:
        """The row within the limit by the document's policy: itself, its beginning, its pieces or nothing."""
        size, limit, policy = len(row.input_ids), self._limit, self._template.truncation
        if size > limit and policy != "truncate":
            what = f"{size} tokens, {self._too_long}"
            if policy == "fail":
                tally.problem(number, f"{what}, or set template.truncation to drop or truncate")
            elif rendered.is_plain:
                yield from _pieces(row, limit)
            else:
                tally.drop(number, "too_long", what)
            return
        row = Encoded(row.input_ids[:limit], row.labels[:limit])
        if all(label == IGNORED for label in row.labels[1:]):  # the first token is predicted from nothing
            tally.drop(number, "no_labels", f"nothing to learn in its first {limit} tokens; raise template.maxLength")
            return
        yield row


def _pieces(row: Encoded, limit: int) -> Iterator[Encoded]:
    """A text as pieces of at most `limit` tokens, one after the other; none of one token, which teaches nothing."""
    size, start = len(row.input_ids), 0
    while start < size:
        end = start + limit - (size - start == limit + 1 and limit > 1)
        yield Encoded(row.input_ids[start:end], row.labels[start:end])
        start = end


def _format(dataset: Dataset, row: dict[str, Any]) -> tuple[Format, KeyBook]:
    """The data set's format and what its keys mean, found from its first row when the document does not say."""
    found = detect(row, dataset.columns) if dataset.format == "auto" else FORMATS[dataset.format]
    if unused := unused_columns(found, dataset.columns):
        raise RowError(f"columns.{unused[0]} has no meaning for format {found.name}; leave it out, or set format")
    return found, key_book(found, dataset.columns)


def _filled(example: Example, values: dict[str, str]) -> Example:
    """The example with its placeholders filled in; raises RowError for one without a value."""
    if not values:
        return example
    try:
        if example.text is not None:
            return replace(example, text=substitute(example.text, values))
        return Example([replace(turn, content=substitute(turn.content, values)) for turn in example.turns])
    except KeyError as missing:
        name = missing.args[0]
        known = ", ".join(values)
        raise RowError(
            f"placeholder {{{{{name}}}}} has no value (given: {known}); "
            f"add it to placeholders, or write \\{{{{{name}}}}} for the text itself"
        ) from None
