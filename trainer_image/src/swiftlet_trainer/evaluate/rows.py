"""Rows of an evaluation file as typed questions; every bad row is a problem with its place.

Conversations and texts are read by the formats that training reads: see swiftlet_trainer.data.formats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from swiftlet.wire.documents import ResolvedSuite

from swiftlet_trainer.data.contents import text_of
from swiftlet_trainer.data.examples import Labelled, Preference, Relevance
from swiftlet_trainer.data.formats import FORMATS, RowView, conversation, converted, detect, key_book
from swiftlet_trainer.data.keys import (
    COMPARED,
    JUDGED,
    LABELS,
    PREFERENCE,
    VERDICTS,
    KeyBook,
    RowError,
    is_absent,
)
from swiftlet_trainer.data.labelled import LABELLED
from swiftlet_trainer.data.placeholders import substituted
from swiftlet_trainer.data.preferences import MARGINS
from swiftlet_trainer.data.relevance import RELEVANCE
from swiftlet_trainer.data.shown import shown
from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn, is_turns, turns_of
from swiftlet_trainer.evaluate.agents.rows import AgentRow, agent_row
from swiftlet_trainer.evaluate.words import is_blank

UnusableRowError = RowError
"""Why a row cannot be used, and the remedy."""

CHATS = ("messages", "sharegpt")
"""Formats of a conversation in one column."""
IN_COLUMN = {name: FORMATS["messages"].columns[name] for name in ("role", "content", "tools")}
"""What is read beside a column of its own that holds what is asked."""


@dataclass(frozen=True)
class GenerationRow:
    """A conversation to answer, and the texts of which any counts as the answer."""

    turns: list[Turn]
    references: list[str]
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True)
class PerplexityRow:
    """A text, or a conversation whose assistant turns are scored. Exactly one is set."""

    text: str | None = None
    turns: list[Turn] | None = None
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True)
class ChoiceRow:
    """A question with two or more choices; answer is the index of the right one, from 0. earlier: the conversation
    before the question."""

    question: str
    choices: list[str]
    answer: int
    earlier: Sequence[Turn] = ()
    tools: tuple[Tool, ...] = ()

    @property
    def turns(self) -> list[Turn]:
        """The conversation up to the question."""
        return [*self.earlier, Turn("user", self.question)]


Row = GenerationRow | PerplexityRow | ChoiceRow | Preference | Relevance | Labelled | AgentRow
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
        if suite.tool_calling:
            return agent_row(row, suite.tool_calling.agent_template)
        return _perplexity(row) if suite.perplexity else _choice(row)
    except RecursionError:
        raise UnusableRowError("nested too deeply to be read; a row has a few levels at most") from None


def _generation(row: Mapping[str, Any], system: str | None) -> GenerationRow:
    turns, tools = _asked(row, "prompt")
    if system is not None and turns[0].role != "system":
        turns = [Turn("system", system), *turns]
    answers = row.get("answer")
    references = answers if isinstance(answers, list) else [answers]
    if not references or not all(isinstance(text, str) and not is_blank(text) for text in references):
        what = f"answer is {shown(answers)}; give the expected text, or a list of texts of which any counts"
        raise UnusableRowError(what)
    return GenerationRow(turns, [text_of(text, "answer", KeyBook()) for text in references], tools)


def _perplexity(row: Mapping[str, Any]) -> PerplexityRow:
    found = detect(row, None, FORMATS)
    if found.name in CHATS and not is_absent(row.get("text")):
        raise UnusableRowError("set exactly one of text and messages")
    example = converted(row, found, None, key_book(found, None))
    if example.text is not None:
        if not example.text.strip():
            raise UnusableRowError("text is empty; give a text")
        return PerplexityRow(text=example.text)
    if not any(turn.is_answer and turn.weight != 0 for turn in example.turns):
        raise UnusableRowError("messages has no assistant turn, so nothing would be scored; add one or use text")
    return PerplexityRow(turns=example.turns, tools=example.tools)


def _choice(row: Mapping[str, Any]) -> ChoiceRow:
    (turns, tools), choices, answer = _asked(row, "question"), row.get("choices"), row.get("answer")
    if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(c, str) and c.strip() for c in choices):
        raise UnusableRowError(f"choices is {shown(choices)}; give a list of at least two texts")
    if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer < len(choices):
        what = f"answer is {shown(answer)}; give the index of the right choice, 0 to {len(choices) - 1}"
        raise UnusableRowError(what)
    named = [text_of(choice, f"choices[{index}]", KeyBook()) for index, choice in enumerate(choices)]
    return ChoiceRow(turns[-1].content, named, answer, tuple(turns[:-1]), tools)


def _preference(row: Mapping[str, Any]) -> Preference:
    found = detect(row, None, MARGINS)
    example = converted(row, found, None, key_book(found, None))
    answers = [example.chosen, *example.rejected]
    if any(not turn.is_answer for answer in answers for turn in answer if turn.role == "assistant"):
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


def _asked(row: Mapping[str, Any], column: str) -> tuple[list[Turn], tuple[Tool, ...]]:
    """The conversation up to where the model answers, and the tools that it may call: a text (or turns) of its own
    column, or a format's turns."""
    chats = [FORMATS[name] for name in CHATS if not is_absent(row.get(FORMATS[name].columns["messages"][0]))]
    if bool(chats) == (not is_absent(row.get(column))):
        raise UnusableRowError(f"set exactly one of messages and {column}" if chats else _lacking(row, column))
    asked = chats[0] if chats else replace(FORMATS["messages"], columns={**IN_COLUMN, "messages": (column,)})
    # Of the other kinds no key says anything of what is asked.
    book = replace(key_book(asked, None), allowed=(LABELS, COMPARED, PREFERENCE, JUDGED, VERDICTS))
    view = RowView(row, asked.columns, book, book.marks("row", row))
    value, name = view.needed("messages"), asked.columns["messages"][0]
    is_text = not chats and not is_turns(value, view.keys)
    said = [Turn("user", text_of(value, column, book))] if is_text else turns_of(value, name, view.keys)
    example = conversation(view, said)
    turns = example.turns
    if not turns or turns[-1].role not in ("user", "tool"):
        last = f"the last message is of role {turns[-1].role!r}" if turns else "there is no message"
        raise UnusableRowError(f"{last}; it must be the user's, whom the model answers")
    if not turns[-1].content.strip():
        raise UnusableRowError(f"{column if not chats else 'the last message'} is {turns[-1].content!r}; give a text")
    return turns, example.tools


def _lacking(row: Mapping[str, Any], column: str) -> str:
    return f"{column} is missing: set exactly one of messages and {column}"


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """`value` (JSON) with the placeholders in its texts filled in. Raises UnusableRowError for one without a value."""
    try:
        return substituted(value, values)
    except KeyError as error:
        name = error.args[0]
        raise UnusableRowError(
            f"placeholder {{{{{name}}}}} has no value; add {name} to the suite's placeholders"
        ) from None
