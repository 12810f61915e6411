"""Rows of an evaluation file as typed questions; every bad row is a problem with its place.

Conversations and texts are read by the formats that training reads: see swiftlet_trainer.data.formats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swiftlet.wire.documents import ResolvedSuite

from swiftlet_trainer.data.examples import Labelled, Preference, Relevance
from swiftlet_trainer.data.formats import FORMATS, column_names, converted, detect, key_book
from swiftlet_trainer.data.keys import (
    COMPARED,
    JUDGED,
    LABELS,
    PREFERENCE,
    READ_IN_PARTS,
    VERDICTS,
    KeyBook,
    RowError,
    is_absent,
)
from swiftlet_trainer.data.labelled import LABELLED
from swiftlet_trainer.data.placeholders import substitute
from swiftlet_trainer.data.preferences import MARGINS
from swiftlet_trainer.data.relevance import RELEVANCE
from swiftlet_trainer.data.turns import Turn, TurnKeys, is_turns, shown, text_of, turns_of
from swiftlet_trainer.evaluate.words import is_blank

UnusableRowError = RowError
"""Why a row cannot be used, and the remedy."""

CHATS = ("messages", "sharegpt")
"""Formats of a conversation in one column."""
TURN_NAMES = {name: FORMATS["messages"].columns[name] for name in ("role", "content")}


@dataclass(frozen=True)
class GenerationRow:
    """A conversation to answer, and the texts of which any counts as the answer."""

    turns: list[Turn]
    references: list[str]


@dataclass(frozen=True)
class PerplexityRow:
    """A text, or a conversation whose assistant turns are scored. Exactly one is set."""

    text: str | None = None
    turns: list[Turn] | None = None


@dataclass(frozen=True)
class ChoiceRow:
    """A question with two or more choices; answer is the index of the right one, from 0. earlier: the conversation
    before the question."""

    question: str
    choices: list[str]
    answer: int
    earlier: Sequence[Turn] = ()

    @property
    def turns(self) -> list[Turn]:
        """The conversation up to the question."""
        return [*self.earlier, Turn("user", self.question)]


Row = GenerationRow | PerplexityRow | ChoiceRow | Preference | Relevance | Labelled
"""What a suite asks, by its kind."""


def parse_row(suite: ResolvedSuite, row: Mapping[str, Any]) -> Row:
    """One row of the suite's file, by its columns. Raises UnusableRowError."""
    try:
        if suite.generation:
            return _generation(row, suite.generation.system)
        if suite.preference:
            return _preference(row)
        if suite.retrieval:
            return _relevance(row)
        if suite.classification or suite.regression:
            return _labelled(row)
        return _perplexity(row) if suite.perplexity else _choice(row)
    except RecursionError:
        raise UnusableRowError("nested too deeply to be read; a row has a few levels at most") from None


def _generation(row: Mapping[str, Any], system: str | None) -> GenerationRow:
    turns = _asked(row, "prompt")
    if system is not None and turns[0].role != "system":
        turns = [Turn("system", system), *turns]
    answers = row.get("answer")
    references = answers if isinstance(answers, list) else [answers]
    if not references or not all(isinstance(text, str) and not is_blank(text) for text in references):
        what = f"answer is {shown(answers)}; give the expected text, or a list of texts of which any counts"
        raise UnusableRowError(what)
    return GenerationRow(turns, [text_of(text, "answer", KeyBook()) for text in references])


def _perplexity(row: Mapping[str, Any]) -> PerplexityRow:
    found = detect(row, None, FORMATS)
    if found.name in CHATS and not is_absent(row.get("text")):
        raise UnusableRowError("set exactly one of text and messages")
    example = converted(row, found, None, key_book(found, None))
    if example.text is not None:
        if not example.text.strip():
            raise UnusableRowError("text is empty; give a text")
        return PerplexityRow(text=example.text)
    if not any(turn.role == "assistant" and turn.weight != 0 for turn in example.turns):
        raise UnusableRowError("messages has no assistant turn, so nothing would be scored; add one or use text")
    return PerplexityRow(turns=example.turns)


def _choice(row: Mapping[str, Any]) -> ChoiceRow:
    turns, choices, answer = _asked(row, "question"), row.get("choices"), row.get("answer")
    if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(c, str) and c.strip() for c in choices):
        raise UnusableRowError(f"choices is {shown(choices)}; give a list of at least two texts")
    if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer < len(choices):
        what = f"answer is {shown(answer)}; give the index of the right choice, 0 to {len(choices) - 1}"
        raise UnusableRowError(what)
    named = [text_of(choice, f"choices[{index}]", KeyBook()) for index, choice in enumerate(choices)]
    return ChoiceRow(turns[-1].content, named, answer, tuple(turns[:-1]))


def _preference(row: Mapping[str, Any]) -> Preference:
    found = detect(row, None, MARGINS)
    example = converted(row, found, None, key_book(found, None))
    answers = [example.chosen, *example.rejected]
    if any(not turn.content.strip() for answer in answers for turn in answer if turn.role == "assistant"):
        raise UnusableRowError("an answer is empty; give a text")
    if example.chosen in example.rejected:
        raise UnusableRowError("chosen and rejected are the same; give answers that differ")
    return example


def _relevance(row: Mapping[str, Any]) -> Relevance:
    found = detect(row, None, RELEVANCE)
    example = converted(row, found, None, key_book(found, None))
    if not example.positives:
        raise UnusableRowError("no document is relevant, so none can be found; give one of a score above 0")
    return example


def _labelled(row: Mapping[str, Any]) -> Labelled:
    found = detect(row, None, LABELLED)
    example = converted(row, found, None, key_book(found, None))
    if not any(text.strip() for text in example.texts):
        raise UnusableRowError("no text in it; give a text")
    return example


def _asked(row: Mapping[str, Any], column: str) -> list[Turn]:
    """The conversation up to where the model answers: a text (or turns) of its own column, or a format's turns."""
    book = KeyBook(
        {"row": [column], "turn": [*TURN_NAMES["role"], *TURN_NAMES["content"]], "part": READ_IN_PARTS},
        allowed=(LABELS, COMPARED, PREFERENCE, JUDGED, VERDICTS),  # they say nothing of what is asked
    )
    chats = [FORMATS[name] for name in CHATS if not is_absent(row.get(FORMATS[name].columns["messages"][0]))]
    if bool(chats) == (not is_absent(row.get(column))):
        raise UnusableRowError(f"set exactly one of messages and {column}" if chats else _lacking(row, column))
    if chats:
        turns = converted(
            row, chats[0], None, KeyBook({**book.read, "row": _row_names(chats[0].name)}, book.allowed)
        ).turns
    else:
        book.marks("row", row)
        keys = TurnKeys(TURN_NAMES["role"], TURN_NAMES["content"], book)
        value = row[column]
        turns = turns_of(value, column, keys) if is_turns(value, keys) else [Turn("user", text_of(value, column, book))]
    if not turns or turns[-1].role not in ("user", "tool"):
        last = f"the last message is of role {turns[-1].role!r}" if turns else "there is no message"
        raise UnusableRowError(f"{last}; it must be the user's, whom the model answers")
    if not turns[-1].content.strip():
        raise UnusableRowError(f"{column if not chats else 'the last message'} is {turns[-1].content!r}; give a text")
    return turns


def _lacking(row: Mapping[str, Any], column: str) -> str:
    return f"{column} is missing: set exactly one of messages and {column}"


def _row_names(name: str) -> list[str]:
    names = column_names(FORMATS[name], None)
    return [one for logical in ("messages", "system") for one in names[logical]]


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """`value` (JSON) with the placeholders in its texts filled in. Raises UnusableRowError for one without a value."""
    if isinstance(value, str):
        try:
            return substitute(value, values)
        except KeyError as error:
            name = error.args[0]
            raise UnusableRowError(
                f"placeholder {{{{{name}}}}} has no value; add {name} to the suite's placeholders"
            ) from None
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, values) for key, item in value.items()}
    return value
