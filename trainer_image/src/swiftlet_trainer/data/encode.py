"""From the rows of a data set to tokens and labels, batch by batch; every row is counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from swiftlet.api.finetunejob import Dataset, Template

from swiftlet_trainer.data.formats import (
    FORMATS,
    Example,
    Format,
    RowError,
    RowView,
    column_names,
    detect,
    unused_columns,
)
from swiftlet_trainer.data.placeholders import substitute
from swiftlet_trainer.data.readers import BadRow, UnreadableFileError, is_numbered_by_line, read_rows
from swiftlet_trainer.data.tally import Tally
from swiftlet_trainer.templates.render import ChatTemplate, Rendered, TemplateRefusalError, UnsuitableTemplateError
from swiftlet_trainer.templates.special import SpecialTokens

BATCH = 512
"""Rows that are tokenized at a time; the tokenizer uses all cores for a batch."""
IGNORED = -100
"""Label of a token that is not learnt (source: torch.nn.CrossEntropyLoss, ignore_index)."""


@dataclass(frozen=True)
class Encoded:
    """One row as tokens: ids and labels of the same length, IGNORED where nothing is learnt."""

    input_ids: list[int]
    labels: list[int]


class Encoder:
    """Turns rows into tokens as a document's template and task say.

    The chat template is looked at only when the first conversation comes: plain text does without.
    """

    def __init__(self, tokenizer: Any, template: Template, assistant_only: bool, context: int | None = None) -> None:
        """context: tokens that the model can tell the places of; rows beyond it are too long whatever maxLength is."""
        self._tokenizer = tokenizer
        self._limit = min(template.max_length, context or template.max_length)
        within = "the model's context" if self._limit < template.max_length else "template.maxLength"
        remedy = "" if self._limit < template.max_length else "raise it, or "
        self._too_long = f"{within} is {self._limit}; {remedy}shorten the row"
        self._template = template
        self._assistant_only = assistant_only
        self._special = SpecialTokens(tokenizer)
        self._chat: ChatTemplate | None = None
        # A chat template writes the beginning-of-text token itself; plain text has it where the tokenizer puts one.
        ids = tokenizer("a")["input_ids"]
        self._bos = tokenizer.bos_token if tokenizer.bos_token and ids[0] == tokenizer.bos_token_id else ""

    @property
    def warnings(self) -> list[str]:
        """What the user should know of the chat template."""
        if self._chat is None or self._chat.ends_turns:
            return []
        return ["the chat template puts no control token after a turn of the assistant: generation will not stop there"]

    def encode(self, dataset: Dataset, file: Path, tally: Tally) -> Iterator[list[Encoded]]:
        """The rows of `file` as tokens, in batches and in order; what is left out or wrong goes to `tally`."""
        examples = self._examples(dataset, file, tally)
        while batch := list(islice(examples, BATCH)):
            yield list(self._tokens(batch, tally))

    def _examples(self, dataset: Dataset, file: Path, tally: Tally) -> Iterator[tuple[int, Rendered]]:
        tally.by_line = is_numbered_by_line(file)
        view_of: tuple[Format, dict[str, tuple[str, ...]]] | None = None
        try:
            for row in read_rows(file):
                tally.read += 1
                if isinstance(row, BadRow):
                    tally.problem(row.number, row.problem)
                    continue
                try:
                    view_of = view_of or _format(dataset, row.columns)
                    example = view_of[0].convert(RowView(row.columns, view_of[1]))
                    rendered = self._rendered(_filled(example, dataset.placeholders), row.number, tally)
                except RowError as error:
                    tally.problem(row.number, str(error))
                    if view_of is None:
                        return  # of no known format: every row would say the same
                    continue
                if rendered is not None:
                    yield row.number, rendered
        except (UnreadableFileError, UnsuitableTemplateError) as error:
            tally.refuse(str(error))

    def _rendered(self, example: Example, number: int, tally: Tally) -> Rendered | None:
        """The row as text and the ranges to learn, or None when it is dropped."""
        contents = [turn["content"] for turn in example.messages] or [example.text or ""]
        if token := self._special.find(contents):
            tally.drop(number, "special_token", f"the text contains the control token {token}; write it otherwise")
            return None
        if not any(content.strip() for content in contents):
            tally.drop(number, "empty", "no text in it")
            return None
        if example.text is not None:
            text = f"{self._bos}{example.text}{self._tokenizer.eos_token or ''}"
            return Rendered(text, [(0, len(text))])
        return self._conversation(example, number, tally)

    def _conversation(self, example: Example, number: int, tally: Tally) -> Rendered | None:
        messages = example.messages
        if self._template.system and messages[0]["role"] != "system":
            messages = [{"role": "system", "content": self._template.system}, *messages]
        if self._assistant_only:
            answered = [i for i, turn in enumerate(messages) if turn["role"] == "assistant" and turn["content"].strip()]
            if not answered:
                tally.drop(number, "no_assistant_turn", "no turn of the assistant to learn from")
                return None
            messages = messages[: answered[-1] + 1]  # what follows the last answer is not learnt
        self._chat = self._chat or ChatTemplate(self._tokenizer)
        try:
            rendered = self._chat.render(messages)
        except TemplateRefusalError as error:
            tally.drop(number, "template_refused", str(error))
            return None
        return rendered if self._assistant_only else Rendered(rendered.text, [(0, len(rendered.text))])

    def _tokens(self, batch: Sequence[tuple[int, Rendered]], tally: Tally) -> Iterator[Encoded]:
        texts = [rendered.text for _, rendered in batch]
        encodings = self._tokenizer(texts, add_special_tokens=False).encodings
        for (number, rendered), encoding in zip(batch, encodings, strict=True):
            if row := self._limited(encoding, rendered, number, tally):
                tally.kept += 1
                yield row

    def _limited(self, encoding: Any, rendered: Rendered, number: int, tally: Tally) -> Encoded | None:
        """The row within the limit by the document's policy, or None when it is dropped."""
        ids: list[int] = encoding.ids
        limit, policy = self._limit, self._template.truncation
        if len(ids) > limit and policy != "truncate":
            what = f"{len(ids)} tokens, {self._too_long}"
            if policy == "fail":
                tally.problem(number, f"{what}, or set template.truncation to drop or truncate")
            else:
                tally.drop(number, "too_long", what)
            return None
        labels = [IGNORED] * len(ids)
        for start, end in rendered.spans:
            first, last = token_range(encoding, start, end, len(rendered.text))
            labels[first:last] = ids[first:last]
        if len(ids) > limit:
            ids, labels = ids[:limit], labels[:limit]
        if all(label == IGNORED for label in labels[1:]):  # the first token is predicted from nothing
            tally.drop(number, "no_labels", f"nothing to learn in its first {limit} tokens; raise template.maxLength")
            return None
        return Encoded(ids, labels)


def token_range(encoding: Any, start: int, end: int, length: int) -> tuple[int, int]:
    """Half-open range of the tokens that lie in the characters [start, end) of a text of `length` characters.

    A token that begins before `start` is part of what the model was given, and left out.
    """
    offsets = None
    first = encoding.char_to_token(start)
    if first is None or encoding.token_to_chars(first)[0] < start:
        offsets = encoding.offsets
        first = next((i for i, (left, right) in enumerate(offsets) if left >= start and right > left), len(offsets))
    last = encoding.char_to_token(end) if end < length else len(encoding)
    if last is None:
        offsets = offsets or encoding.offsets
        last = next((i for i, (left, _) in enumerate(offsets) if left >= end), len(offsets))
    return first, max(first, last)


def _format(dataset: Dataset, row: dict[str, Any]) -> tuple[Format, dict[str, tuple[str, ...]]]:
    """The data set's format and its column names, found from its first row when the document does not say."""
    found = detect(row, dataset.columns) if dataset.format == "auto" else FORMATS[dataset.format]
    if unused := unused_columns(found, dataset.columns):
        raise RowError(f"columns.{unused[0]} has no meaning for format {found.name}; leave it out, or set format")
    return found, column_names(found, dataset.columns)


def _filled(example: Example, values: dict[str, str]) -> Example:
    """The example with its placeholders filled in; raises RowError for one without a value."""
    if not values:
        return example
    try:
        if example.text is not None:
            return Example([], substitute(example.text, values))
        return Example([{**turn, "content": substitute(turn["content"], values)} for turn in example.messages])
    except KeyError as missing:
        name = missing.args[0]
        known = ", ".join(values)
        raise RowError(
            f"placeholder {{{{{name}}}}} has no value (given: {known}); "
            f"add it to placeholders, or write \\{{{{{name}}}}} for the text itself"
        ) from None
