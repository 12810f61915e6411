"""Rows of an evaluation file as typed questions; every bad row is a problem with its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swiftlet.wire.documents import ResolvedSuite

from swiftlet_trainer.data.placeholders import substitute

Turn = dict[str, str]
ROLES = ("system", "user", "assistant")


class UnusableRowError(ValueError):
    """Why a row cannot be used, and the remedy."""


@dataclass(frozen=True)
class GenerationRow:
    """A conversation to answer, and the texts of which any counts as the answer."""

    messages: list[Turn]
    references: list[str]


@dataclass(frozen=True)
class PerplexityRow:
    """A text, or a conversation whose assistant turns are scored. Exactly one is set."""

    text: str | None = None
    messages: list[Turn] | None = None


@dataclass(frozen=True)
class ChoiceRow:
    """A question with two or more choices; answer is the index of the right one, from 0."""

    question: str
    choices: list[str]
    answer: int


Row = GenerationRow | PerplexityRow | ChoiceRow
"""What a suite asks, by its kind."""


def parse_row(suite: ResolvedSuite, row: Mapping[str, Any]) -> Row:
    """One row of the suite's file, by its columns. Raises UnusableRowError."""
    if suite.generation:
        return _generation(row, suite.generation.system)
    return _perplexity(row) if suite.perplexity else _choice(row)


def _generation(row: Mapping[str, Any], system: str | None) -> GenerationRow:
    if ("messages" in row) == ("prompt" in row):
        raise UnusableRowError("set exactly one of messages and prompt")
    messages = _turns(row["messages"]) if "messages" in row else [{"role": "user", "content": _text(row, "prompt")}]
    if messages[-1]["role"] != "user":
        raise UnusableRowError(
            f"the last message is of role {messages[-1]['role']!r}; it must be the user's, whom the model answers"
        )
    if system is not None and messages[0]["role"] != "system":
        messages = [{"role": "system", "content": system}, *messages]
    answers = row.get("answer")
    references: list[Any] = answers if isinstance(answers, list) else [answers]
    if not references or not all(isinstance(text, str) and text.strip() for text in references):
        raise UnusableRowError(f"answer is {answers!r}; give the expected text, or a list of texts of which any counts")
    return GenerationRow(messages, references)


def _perplexity(row: Mapping[str, Any]) -> PerplexityRow:
    if ("messages" in row) == ("text" in row):
        raise UnusableRowError("set exactly one of text and messages")
    if "text" in row:
        return PerplexityRow(text=_text(row, "text"))
    messages = _turns(row["messages"])
    if not any(turn["role"] == "assistant" for turn in messages):
        raise UnusableRowError("messages has no assistant turn, so nothing would be scored; add one or use text")
    return PerplexityRow(messages=messages)


def _choice(row: Mapping[str, Any]) -> ChoiceRow:
    question, choices, answer = _text(row, "question"), row.get("choices"), row.get("answer")
    if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(c, str) and c.strip() for c in choices):
        raise UnusableRowError(f"choices is {choices!r}; give a list of at least two texts")
    if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer < len(choices):
        raise UnusableRowError(f"answer is {answer!r}; give the index of the right choice, 0 to {len(choices) - 1}")
    return ChoiceRow(question, choices, answer)


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise UnusableRowError(f"{key} is {value!r}; give a text" if key in row else f"{key} is missing")
    return value


def _turns(value: Any) -> list[Turn]:
    if not isinstance(value, list) or not value:
        raise UnusableRowError(f"messages is {value!r}; give a list of turns with role and content")
    for number, turn in enumerate(value):
        role, content = (turn.get("role"), turn.get("content")) if isinstance(turn, dict) else (None, None)
        if role not in ROLES or not isinstance(content, str):
            raise UnusableRowError(
                f"messages[{number}] is {turn!r}; give role ({', '.join(ROLES)}) and content (a text)"
            )
    return [{"role": turn["role"], "content": turn["content"]} for turn in value]


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
