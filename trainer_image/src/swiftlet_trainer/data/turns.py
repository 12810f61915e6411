"""Turns of a conversation, as published data writes them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from swiftlet_trainer.data.blocks import Said, has_blocks, said_of, told_of
from swiftlet_trainer.data.calls import calls_of, thought_and_calls
from swiftlet_trainer.data.contents import text_of
from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.keys import (
    TURN_CALLS,
    TURN_THOUGHT,
    KeyBook,
    RowError,
    first_with_value,
    is_absent,
    is_empty,
)
from swiftlet_trainer.data.shown import shown
from swiftlet_trainer.data.tools import ToolCall

Message = dict[str, Any]
"""`{"role": …, "content": text}` and what else chat templates know of a turn: `reasoning_content`, `tool_calls`,
`name`, `tool_call_id`."""
Role = Literal["system", "user", "assistant", "tool"]

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "ai": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "observations": "tool",
    "tool_response": "tool",
    "tool_result": "tool",
    "function_response": "tool",
    "ipython": "tool",
}
"""Names of roles in published data, and what chat templates call them. `-` in them is `_`."""
CALLS = ("function_call", "tool_call", "tool_calls")
"""Roles of turns that are calls of tools."""
SAID = {"true": 1.0, "false": 0.0}
LARGEST_WEIGHT = 1000.0
"""Of a token in the loss: more is taken for a slip, and rounds the others away."""


@dataclass(frozen=True)
class Turn:
    """One turn. weight: of its tokens in the loss, as a mark in the data says, None when there is none. thought: what
    the assistant thinks before it answers or calls. calls: of tools, behind the content. name and call_id: of a tool's
    result, which tool and which call it is of, where the data says. given: half-open ranges of an answer's content
    that others wrote, such as results of tools: their tokens are not learnt."""

    role: Role
    content: str
    weight: float | None = None
    thought: str | None = None
    calls: tuple[ToolCall, ...] = ()
    name: str | None = None
    call_id: str | None = None
    given: tuple[tuple[int, int], ...] = ()

    @property
    def texts(self) -> list[str]:
        """All that is said in it."""
        calls = [text for call in self.calls for text in call.texts]
        return [self.content, *calls] if self.thought is None else [self.content, self.thought, *calls]

    @property
    def is_answer(self) -> bool:
        """Whether the assistant says or calls something in it."""
        return self.role == "assistant" and bool(self.calls or self.content.strip())

    @property
    def message(self) -> Message:
        """As chat templates take it, by the convention of transformers."""
        message: Message = {"role": self.role, "content": self.content}
        if self.thought is not None:
            message["reasoning_content"] = self.thought
        if self.calls:
            message["tool_calls"] = [call.message for call in self.calls]
        if self.name is not None:
            message["name"] = self.name
        if self.call_id is not None:
            message["tool_call_id"] = self.call_id
        return message


@dataclass(frozen=True)
class TurnKeys:
    """Names of the keys within a turn, and what becomes of all others."""

    role: Sequence[str]
    content: Sequence[str]
    book: KeyBook


def turns_of(value: Any, where: str, keys: TurnKeys) -> list[Turn]:
    """A list of turns, or its JSON text as CSV has it."""
    if isinstance(value, str):
        try:
            value = decoded(value)
        except JsonValueError as error:
            raise RowError(f"{where} must be a list of turns as JSON: {error}") from None
    if not isinstance(value, list | tuple):
        raise RowError(f"{where} must be a list of turns, this is {shown(value)}")
    return [turn for index, one in enumerate(value) for turn in _turns(one, f"{where}[{index}]", keys)]


def is_turns(value: Any, keys: TurnKeys) -> bool:
    """Whether a value is a list of turns, and not of parts of one text."""
    return isinstance(value, list | tuple) and any(
        isinstance(one, Mapping) and any(name in one for name in keys.role) for one in value
    )


def mark_of(value: Any, where: str) -> float:
    """How much something counts in the loss, as a mark says it: true is 1, false 0. Raises RowError for what is no
    weight."""
    said = str(value).strip().lower() if isinstance(value, bool | int | float | str) else ""
    try:
        weight = SAID[said] if said in SAID else float(said)
    except ValueError:
        weight = math.nan
    if not 0 <= weight <= LARGEST_WEIGHT:
        raise RowError(
            f"{where} is {shown(value)}; write a weight of 0 (not learnt) to {LARGEST_WEIGHT:g}, false or true"
        )
    return abs(weight)  # of -0.0


def agreed(marks: Mapping[str, Any], where: str) -> float | None:
    """What all marks of a turn or row say, None when there is none: true agrees with any weight but 0. Raises RowError
    when they differ."""
    found = {key: mark_of(value, f"{where}.{key}" if where else key) for key, value in marks.items()}
    figures = {found[key] for key, value in marks.items() if str(value).strip().lower() != "true"}
    if len(figures) > 1 or (0.0 in figures and len(set(found.values())) > 1):
        raise RowError(
            f"{where or 'the row'} has {' and '.join(found)}, which say different things; leave all but one out"
        )
    return next(iter(figures or found.values()), None)


def _turns(turn: Any, where: str, keys: TurnKeys) -> Iterator[Turn]:
    """The turns that an object of the data is: results of tools within a turn of the user are turns of their own."""
    if not isinstance(turn, Mapping):
        raise RowError(f"{where} must be an object, this is {shown(turn)}")
    role_name = first_with_value(turn, keys.role, where)
    weight = agreed(keys.book.marks("turn", turn, where), where)
    content_name = first_with_value(turn, keys.content, where)
    called = next((name for name in TURN_CALLS if not is_empty(turn.get(name))), None)
    if role_name is None or (content_name is None and called is None):
        wanted = " and ".join("/".join(names) for names in (keys.role, keys.content))
        given = ", ".join(str(key) for key, value in turn.items() if not is_absent(value))
        raise RowError(f"{where} has {given or 'nothing'}, a turn needs {wanted}; see columns")
    said, role = _role(turn[role_name], f"{where}.{role_name}")
    content, place, thought = _value(turn, content_name), f"{where}.{content_name}", _thought(turn, where, keys.book)
    if role == "assistant":
        calls = calls_of(turn[called], f"{where}.{called}") if called else ()
        within = _said(content, place, said in CALLS and not called, keys.book)
        yield _answer(within, Said("", thought, calls), where, weight)
    elif called or thought:
        raise RowError(f"{where} of the {role} has {called or 'a thought'}, which only the assistant has; leave it out")
    elif role == "tool":
        name, number = _label(turn, "name"), _label(turn, "tool_call_id")
        yield Turn(role, text_of(content, place, keys.book), weight, name=name, call_id=number)
    elif role == "user" and has_blocks(content):
        for told in told_of(content, place, keys.book):
            yield Turn("tool" if told.is_result else "user", told.text, weight, call_id=told.call_id)
    else:
        yield Turn(role, text_of(content, place, keys.book), weight)


def _role(value: Any, where: str) -> tuple[str, Role]:
    """The role as the data and as chat templates call it."""
    name = str(value).strip().lower().replace("-", "_")
    role = "assistant" if name in CALLS else ROLES.get(name)
    if role is None:
        raise RowError(f"{where} is {shown(value)}; use one of {', '.join(sorted((*ROLES, *CALLS)))}")
    return name, role


def _value(turn: Mapping[str, Any], name: str | None) -> Any:
    return "" if name is None else turn[name]


def _thought(turn: Mapping[str, Any], where: str, book: KeyBook) -> str | None:
    name = first_with_value(turn, TURN_THOUGHT, where)
    text = "" if name is None or is_empty(turn[name]) else text_of(turn[name], f"{where}.{name}", book)
    return text if text.strip() else None


def _label(turn: Mapping[str, Any], key: str) -> str | None:
    return None if is_empty(turn.get(key)) else str(turn[key])


def _said(content: Any, where: str, is_call: bool, book: KeyBook) -> Said:
    """What the content of an answer says. is_call: by its role it is a call, as an object or as JSON text."""
    if is_call:
        return Said("", *thought_and_calls(content, where))
    return said_of(content, where, book) if has_blocks(content) else Said(text_of(content, where, book), None, ())


def _answer(said: Said, beside: Said, where: str, weight: float | None) -> Turn:
    """beside: what other keys of the turn say."""
    for what, twice in (("thoughts", said.thought and beside.thought), ("calls", said.calls and beside.calls)):
        if twice:
            raise RowError(f"{where} has {what} in its content and beside it; leave one of them out")
    thought, calls = said.thought or beside.thought, said.calls or beside.calls
    return Turn("assistant", said.text, weight, thought=thought, calls=calls)
