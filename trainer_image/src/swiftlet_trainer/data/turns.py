"""Turns of a conversation, as published data writes them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.keys import MEDIA, PART_TEXT, THOUGHTS, TOOLS, KeyBook, Refused, RowError, is_absent
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
    "tool_response": "tool",
    "ipython": "tool",
}
"""Names of roles in published data, and what chat templates call them."""
CALLS = ("function_call", "tool_call", "tool_calls")
"""Roles of turns that are calls of tools."""
TEXT_TYPES = ("text", "input_text", "output_text")
OTHER_TYPES: Mapping[str, Refused] = {
    **dict.fromkeys(("image", "video", "audio", "file", "input_image", "input_audio", "media"), MEDIA),
    **dict.fromkeys(("tool", "function"), TOOLS),
    **dict.fromkeys(("reasoning", "thinking", "redacted_thinking", "thought"), THOUGHTS),
}
"""Beginnings of the types of parts that are no text."""
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


def text_of(value: Any, where: str, book: KeyBook) -> str:
    """A text: a string, or parts of it (strings, objects with a text). Raises RowError for everything else."""
    if isinstance(value, str):
        return _encodable(value, where)
    if isinstance(value, Mapping):
        return _part(value, where, book)
    if isinstance(value, list | tuple) and value:
        return "".join(text_of(part, f"{where}[{index}]", book) for index, part in enumerate(value))
    raise RowError(f"{where} must be text, this is {shown(value)}")


def turns_of(value: Any, where: str, keys: TurnKeys) -> list[Turn]:
    """A list of turns, or its JSON text as CSV has it."""
    if isinstance(value, str):
        try:
            value = decoded(value)
        except JsonValueError as error:
            raise RowError(f"{where} must be a list of turns as JSON: {error}") from None
    if not isinstance(value, list | tuple):
        raise RowError(f"{where} must be a list of turns, this is {shown(value)}")
    return [_turn(turn, f"{where}[{index}]", keys) for index, turn in enumerate(value)]


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


def first_with_value(held: Mapping[str, Any], names: Sequence[str], where: str) -> str | None:
    """The first of `names` that has a value in `held`. Raises RowError when another has another value."""
    found = [name for name in names if not is_absent(held.get(name))]
    for other in found[1:]:
        if held[other] != held[found[0]]:
            raise RowError(f"{where or 'the row'} has both {found[0]} and {other}; leave one of them out")
    return found[0] if found else None


def shown(value: Any) -> str:
    """The type of a foreign value and its beginning."""
    try:
        return f"{type(value).__name__} {repr(value)[:40]}"
    except (RecursionError, ValueError):
        return type(value).__name__


def _turn(turn: Any, where: str, keys: TurnKeys) -> Turn:
    if not isinstance(turn, Mapping):
        raise RowError(f"{where} must be an object, this is {shown(turn)}")
    role_name = first_with_value(turn, keys.role, where)
    if role_name and str(turn[role_name]).strip().lower() in CALLS:
        raise RowError(f"{where}.{role_name} {turn[role_name]!r} is not supported: {TOOLS.what}; {TOOLS.remedy}")
    marks = keys.book.marks("turn", turn, where)  # before the content is asked for: a call of a tool has none
    content_name = first_with_value(turn, keys.content, where)
    if role_name is None or content_name is None:
        wanted = " and ".join("/".join(names) for names in (keys.role, keys.content))
        given = ", ".join(str(key) for key, value in turn.items() if not is_absent(value))
        raise RowError(f"{where} has {given or 'nothing'}, a turn needs {wanted}; see columns")
    role = ROLES.get(str(turn[role_name]).strip().lower())
    if role is None:
        raise RowError(f"{where}.{role_name} is {shown(turn[role_name])}; use one of {', '.join(sorted(ROLES))}")
    return Turn(role, text_of(turn[content_name], f"{where}.{content_name}", keys.book), agreed(marks, where))


def _part(part: Mapping[str, Any], where: str, book: KeyBook) -> str:
    """The text of one part of a content."""
    book.marks("part", part, where)
    kind = part.get("type")
    if not is_absent(kind) and kind not in TEXT_TYPES:
        other = next((why for start, why in OTHER_TYPES.items() if str(kind).startswith(start)), None)
        why = f"not supported: {other.what}; {other.remedy}" if other else f"not one of {', '.join(TEXT_TYPES)}"
        raise RowError(f"{where}.type {shown(kind)} is {why}")
    name = first_with_value(part, PART_TEXT, where)
    if name is None:
        raise RowError(f"{where} has {', '.join(map(str, part)) or 'nothing'}, a part needs {'/'.join(PART_TEXT)}")
    return text_of(part[name], f"{where}.{name}", book)


def _encodable(text: str, where: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            half = json.dumps(text[error.start])[1:-1]
            raise RowError(
                f"{where} has half of a surrogate pair ({half} at character {error.start + 1}), which is no text; "
                "write the character whole, or leave it out"
            ) from None
    return text
