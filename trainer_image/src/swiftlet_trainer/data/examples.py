"""The shapes that rows come down to, whatever file they are from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from swiftlet_trainer.data.placeholders import substitute, substituted
from swiftlet_trainer.data.tools import Tool, tool_texts
from swiftlet_trainer.data.turns import Turn

Shape = Literal["example", "channelled", "preference", "margin", "judgement", "labelled", "relevance"]
"""Example, the same with its channel, Preference, the same with a margin, Judgement and Preference, Labelled, or
Relevance."""


@dataclass(frozen=True)
class Example:
    """One row that is said as it is: turns, or text when there are none.

    weight: what a mark on a row of text says, None when there is none. channel: where it is from, where that is asked
    for and the row says so. tools: that the turns may call.
    """

    turns: list[Turn]
    text: str | None = None
    weight: float | None = None
    channel: str | None = None
    tools: tuple[Tool, ...] = ()

    @property
    def texts(self) -> list[str]:
        """All that is said in it."""
        return [*_said(self.turns), *tool_texts(self.tools)] if self.turns else [self.text or ""]

    def filled(self, values: Mapping[str, str]) -> "Example":
        """With its placeholders filled in. Raises KeyError for one without a value."""
        if self.text is not None:
            return replace(self, text=substitute(self.text, values))
        return replace(self, turns=_filled(self.turns, values), tools=_described(self.tools, values))


@dataclass(frozen=True)
class Preference:
    """A prompt, the answer to it that is preferred, and one or more others. Answers are turns, the first of which is
    the assistant's. margin: by how much it is to be ahead of each of the others, where the row says so. tools: that
    the turns may call."""

    prompt: list[Turn]
    chosen: list[Turn]
    rejected: list[list[Turn]]
    margin: float | None = None
    tools: tuple[Tool, ...] = ()

    @property
    def conversations(self) -> list[list[Turn]]:
        """The prompt with each answer, the chosen one first. Earlier answers of the assistant are given, not learnt."""
        prompt = _given(self.prompt)
        return [[*prompt, *answer] for answer in (self.chosen, *self.rejected)]

    @property
    def verdicts(self) -> list[bool]:
        """Of each conversation, whether its answer is good."""
        return [True, *[False] * len(self.rejected)]

    @property
    def texts(self) -> list[str]:
        """All that is said in it."""
        answers = [turn for answer in (self.chosen, *self.rejected) for turn in answer]
        return [*_said([*self.prompt, *answers]), *tool_texts(self.tools)]

    def filled(self, values: Mapping[str, str]) -> "Preference":
        """With its placeholders filled in. Raises KeyError for one without a value."""
        answers = [_filled(answer, values) for answer in self.rejected]
        prompt, chosen = _filled(self.prompt, values), _filled(self.chosen, values)
        return replace(self, prompt=prompt, chosen=chosen, rejected=answers, tools=_described(self.tools, values))


@dataclass(frozen=True)
class Judgement:
    """A prompt, an answer to it, and whether that is good. The answer is turns, the first of which is the
    assistant's. tools: that the turns may call."""

    prompt: list[Turn]
    answer: list[Turn]
    is_good: bool
    tools: tuple[Tool, ...] = ()

    @property
    def conversations(self) -> list[list[Turn]]:
        """The prompt with the answer, alone. Earlier answers of the assistant are given, not learnt."""
        return [[*_given(self.prompt), *self.answer]]

    @property
    def verdicts(self) -> list[bool]:
        """Of each conversation, whether its answer is good."""
        return [self.is_good]

    @property
    def texts(self) -> list[str]:
        """All that is said in it."""
        return [*_said([*self.prompt, *self.answer]), *tool_texts(self.tools)]

    def filled(self, values: Mapping[str, str]) -> "Judgement":
        """With its placeholders filled in. Raises KeyError for one without a value."""
        prompt, answer = _filled(self.prompt, values), _filled(self.answer, values)
        return replace(self, prompt=prompt, answer=answer, tools=_described(self.tools, values))


@dataclass(frozen=True)
class Relevance:
    """A text, and how relevant each of some documents is to it: 1 where it is, 0 where it is not, or a score."""

    query: str
    documents: list[str]
    grades: list[float]

    @property
    def positives(self) -> list[str]:
        """Documents that are relevant."""
        return [text for text, grade in zip(self.documents, self.grades, strict=True) if grade > 0]

    @property
    def negatives(self) -> list[str]:
        """Documents that are not."""
        return [text for text, grade in zip(self.documents, self.grades, strict=True) if grade <= 0]

    @property
    def texts(self) -> list[str]:
        """All that is said in it."""
        return [self.query, *self.documents]

    def filled(self, values: Mapping[str, str]) -> "Relevance":
        """With its placeholders filled in. Raises KeyError for one without a value."""
        documents = [substitute(text, values) for text in self.documents]
        return replace(self, query=substitute(self.query, values), documents=documents)


@dataclass(frozen=True)
class Labelled:
    """A text or conversation, and what it is labelled with, as the row has it."""

    example: Example
    label: Any

    @property
    def texts(self) -> list[str]:
        """All that is said in it."""
        return self.example.texts

    def filled(self, values: Mapping[str, str]) -> "Labelled":
        """With its placeholders filled in. Raises KeyError for one without a value."""
        return replace(self, example=self.example.filled(values))


AnyExample = Example | Preference | Judgement | Labelled | Relevance


def _given(prompt: Sequence[Turn]) -> list[Turn]:
    return [replace(turn, weight=0.0 if turn.role == "assistant" else None) for turn in prompt]


def _said(turns: Sequence[Turn]) -> list[str]:
    return [text for turn in turns for text in turn.texts]


def _filled(turns: Sequence[Turn], values: Mapping[str, str]) -> list[Turn]:
    return [
        replace(
            turn,
            content=substitute(turn.content, values),
            thought=None if turn.thought is None else substitute(turn.thought, values),
            calls=tuple(replace(call, arguments=substituted(call.arguments, values)) for call in turn.calls),
        )
        for turn in turns
    ]


def _described(tools: tuple[Tool, ...], values: Mapping[str, str]) -> tuple[Tool, ...]:
    return tuple(substituted(tool, values) for tool in tools)
