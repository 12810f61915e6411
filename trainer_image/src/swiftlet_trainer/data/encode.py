"""From the rows of a data set to tokens and labels, batch by batch; every row is counted."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from swiftlet.api.v1alpha1.dataset import Dataset
from swiftlet.api.v1alpha1.finetunejob import Template

from swiftlet_trainer.data.channels import Channels
from swiftlet_trainer.data.examples import AnyExample, Example, Shape
from swiftlet_trainer.data.formats import Format, converted
from swiftlet_trainer.data.keys import KeyBook, RowError
from swiftlet_trainer.data.known_formats import format_of
from swiftlet_trainer.data.readers import BadRow, UnreadableFileError, is_numbered_by_line, read_rows
from swiftlet_trainer.data.tally import Tally
from swiftlet_trainer.templates.factors import Floats
from swiftlet_trainer.templates.prompt_template import UnsuitableTemplateError
from swiftlet_trainer.templates.segments import Rendered, Segments, UnencodableError, Weighed

ENCODER = 3
"""Raised when the same row becomes other tokens or labels."""
BATCH = 512
"""Rows that are tokenized at a time; the tokenizer uses all cores for a batch."""
Batch = list[tuple[int, list[Rendered]]]
"""Rows by their numbers, each as its sequences."""
Parts = list[Weighed | UnencodableError]
"""Segments of each sequence, see templates.segments.Segments.weighed."""
IGNORED = -100
"""Label of a token that is not learnt (source: torch.nn.CrossEntropyLoss, ignore_index)."""


@dataclass(frozen=True)
class Encoded:
    """One row as tokens: ids and labels of the same length, IGNORED where nothing is learnt.

    weights: of the labels in the loss, 0 where nothing is learnt; None: 1 each. lengths: tokens of each of its
    sequences, which are compared with each other; None: it is one. targets: what is to come out for it, as many values
    for every row of a task; or the number of its channel. calls: the tokens of each call of a tool, from and up to.
    """

    input_ids: list[int]
    labels: list[int]
    lengths: list[int] | None = None
    targets: list[float] | None = None
    weights: list[float] | None = None
    calls: tuple[tuple[int, int], ...] = ()

    def part(self, start: int, end: int) -> "Encoded":
        """Its tokens from `start` up to `end`, those of one sequence."""
        weights = None if self.weights is None else self.weights[start:end]
        return replace(self, input_ids=self.input_ids[start:end], labels=self.labels[start:end], weights=weights)


@dataclass(frozen=True)
class Traced:
    """A row of a data set, and what became of it.

    number: in its file. rendered: its sequences as texts. parts: token ids of the segments of each sequence, nothing
    cut. rows: what is learnt.
    """

    number: int
    rendered: list[Rendered]
    parts: list[list[list[int]]]
    rows: list[Encoded]


class DroppedError(Exception):
    """A row that is left out by rule; the text says why."""

    def __init__(self, reason: str, what: str) -> None:
        self.reason = reason
        super().__init__(what)


class TaskRows(Protocol):
    """What a task makes of an example."""

    @property
    def shape(self) -> Shape:
        """What it learns from."""

    def rendered(self, example: Any) -> list[Rendered]:
        """An example of the shape as sequences: text and the ranges that are answers. Raises DroppedError, RowError,
        UnsuitableTemplateError."""

    def labelled(self, parts: Sequence[list[int]], rendered: Rendered) -> Encoded:
        """The tokens of a sequence's segments, with labels on what is learnt."""

    def grouped(self, sequences: Sequence[Encoded]) -> list[Encoded]:
        """The sequences of an example as rows, each of which is compared within itself."""

    @property
    def warnings(self) -> list[str]:
        """What the user should know of the chat template."""


class Encoder:
    """Turns the rows of files into tokens, as a document's template and task say."""

    def __init__(
        self,
        rows: TaskRows,
        segments: Segments,
        template: Template,
        context: int | None = None,
        of_tokens: bool = True,
        channels: Channels | None = None,
    ) -> None:
        """rows: the task's. context: tokens that the model can tell the places of; rows beyond it are too long whatever
        maxLength is. of_tokens: whether labelled tokens are what is learnt, so that a sequence without one teaches
        nothing. channels: takes those that rows are of, where the task asks."""
        self._of_tokens, self._channels = of_tokens, channels or Channels()
        self.limit = min(template.max_length, context or template.max_length)
        """Most tokens of a sequence."""
        within = "the model's context" if self.limit < template.max_length else "template.maxLength"
        remedy = "" if self.limit < template.max_length else "raise it, or "
        self._too_long = f"{within} is {self.limit}; {remedy}shorten the row"
        self._template = template
        self._rows, self._segments = rows, segments

    @property
    def warnings(self) -> list[str]:
        """What the user should know of the chat template, once rows were encoded."""
        return list(self._rows.warnings)

    def encode(self, dataset: Dataset, file: Path, tally: Tally, channel: str = "") -> Iterator[list[Encoded]]:
        """The rows of `file` as tokens, in batches and in order; what is left out or wrong goes to `tally`. channel: of
        rows that say none."""
        for batch in self.traced(dataset, file, tally, channel):
            yield [row for one in batch for row in one.rows]

    def traced(
        self, dataset: Dataset, file: Path, tally: Tally, channel: str = "", most: int | None = None
    ) -> Iterator[list[Traced]]:
        """The same with where the tokens are from, of the first `most` rows of the file; all if None. The tokenizer is
        at work on a batch while the next one is read and rendered."""
        examples = self._examples(dataset, file, tally, channel, most)
        begun: tuple[Batch, Future[Parts]] | None = None
        with ThreadPoolExecutor(1) as beside:
            while batch := list(islice(examples, BATCH)):
                before, begun = begun, (batch, beside.submit(self._segments.weighed, _texts(batch)))
                if before:
                    yield list(self._tokens(*before, tally))
            if begun:
                yield list(self._tokens(*begun, tally))

    def _examples(
        self, dataset: Dataset, file: Path, tally: Tally, channel: str, most: int | None
    ) -> Iterator[tuple[int, list[Rendered]]]:
        tally.by_line = is_numbered_by_line(file)
        known: tuple[Format[AnyExample], KeyBook] | None = None
        try:
            for row in islice(read_rows(file), most):
                tally.read += 1
                if isinstance(row, BadRow):
                    tally.problem(row.number, row.problem)
                    continue
                try:
                    known = known or format_of(dataset, row.columns, self._rows.shape)
                    known[1].number = row.number
                    example = converted(row.columns, known[0], dataset.columns, known[1])
                    rendered = self._rendered(_filled(example, dataset.placeholders))
                    if self._rows.shape == "channelled":
                        rendered = self._told_apart(rendered, example, channel)
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

    def _rendered(self, example: AnyExample) -> list[Rendered]:
        """The row's sequences as text and the ranges that are answers. Raises DroppedError, RowError,
        UnsuitableTemplateError."""
        texts = example.texts
        if found := next((one for text in texts if (one := self._segments.special.reserved(text))), None):
            raise DroppedError("special_token", f"the text has U+{ord(found):X}, which is kept for our own use")
        if not any(text.strip() for text in texts):
            raise DroppedError("empty", "no text in it")
        return self._rows.rendered(example)

    def _told_apart(self, rendered: Sequence[Rendered], example: AnyExample, channel: str) -> list[Rendered]:
        """With the number of the example's channel. Raises RowError."""
        own = example.channel if isinstance(example, Example) else None
        number = self._channels.number(own or channel)
        return [replace(one, targets=(float(number),)) for one in rendered]

    def _tokens(self, batch: Batch, encoded: "Future[Parts]", tally: Tally) -> Iterator[Traced]:
        parts = iter(encoded.result())
        for number, rendered in batch:
            found = list(islice(parts, len(rendered)))
            sequences = list[Encoded]()
            for one, text in zip(found, rendered, strict=True):
                if isinstance(one, UnencodableError):
                    tally.drop(number, "special_token", f"{one}; write it otherwise")
                    break
                sequences.append(scaled(self._rows.labelled(one.parts, text), one.factors))
            if len(sequences) < len(rendered):
                continue
            try:
                rows = self._limited(sequences, rendered)
            except DroppedError as drop:
                tally.drop(number, drop.reason, str(drop))
            except RowError as error:
                tally.problem(number, str(error))
            else:
                tally.kept += bool(rows)
                yield Traced(number, rendered, [one.parts for one in found if isinstance(one, Weighed)], rows)

    def _limited(self, sequences: Sequence[Encoded], rendered: Sequence[Rendered]) -> list[Encoded]:
        """Rows of the sequences within the limit by the document's policy: as they are, their beginnings, or a text's
        pieces. Raises DroppedError, RowError."""
        limit, policy = self.limit, self._template.truncation
        longest = max(len(one.input_ids) for one in sequences)
        if longest > limit and policy != "truncate":
            what = f"{longest} tokens, {self._too_long}"
            if policy == "fail":
                raise RowError(f"{what}, or set template.truncation to drop or truncate")
            if not (rendered[0].is_plain and self._of_tokens):
                raise DroppedError("too_long", what)
            return list(_pieces(sequences[0], limit))
        if any(start < limit < end for one in sequences for start, end in one.calls):
            raise DroppedError("cut_call", f"{longest} tokens, and half a call of a tool is none: {self._too_long}")
        cut = [one.part(0, limit) for one in sequences]
        for one in cut if self._of_tokens else ():
            rest = one.labels[1:]  # the first token is predicted from nothing
            if rest.count(IGNORED) == len(rest):
                what = f"nothing to learn in its first {limit} tokens; raise template.maxLength"
                raise DroppedError("no_labels", what)
        return self._rows.grouped(cut)


def scaled(row: Encoded, factors: Floats | None) -> Encoded:
    """The row with the weight of each of its labels times a factor; what has 0 is no label any more."""
    if factors is None:
        return row
    labels = np.array(row.labels)
    weights = np.where(labels == IGNORED, 0.0, factors if row.weights is None else factors * row.weights)
    is_marked = bool(((weights != 0) & (weights != 1)).any())
    labels = np.where(weights != 0, labels, IGNORED)
    return replace(row, labels=labels.tolist(), weights=weights.tolist() if is_marked else None)


def _texts(batch: Batch) -> list[Rendered]:
    return [one for _, rendered in batch for one in rendered]


def _pieces(row: Encoded, limit: int) -> Iterator[Encoded]:
    """A text as pieces of at most `limit` tokens, one after the other; none of one token, which teaches nothing."""
    size, start = len(row.input_ids), 0
    while start < size:
        end = start + limit - (size - start == limit + 1 and limit > 1)
        yield row.part(start, end)
        start = end


def _filled(example: AnyExample, values: dict[str, str]) -> AnyExample:
    """The example with its placeholders filled in; raises RowError for one without a value."""
    if not values:
        return example
    try:
        return example.filled(values)
    except KeyError as missing:
        name = missing.args[0]
        known = ", ".join(values)
        raise RowError(
            f"placeholder {{{{{name}}}}} has no value (given: {known}); "
            f"add it to placeholders, or write \\{{{{{name}}}}} for the text itself"
        ) from None
