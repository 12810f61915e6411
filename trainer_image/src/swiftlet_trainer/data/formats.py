"""The shapes of a row, and their conversion to one: a conversation, or plain text."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from swiftlet.api.finetunejob import Columns

Role = Literal["system", "user", "assistant", "tool"]
Message = dict[str, str]
"""`{"role": Role, "content": text}`, as chat templates take it."""

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
}
"""Names of roles in published data, and what chat templates call them."""


class RowError(ValueError):
    """A row that is not of its format; the text says what, with the remedy."""


@dataclass(frozen=True)
class Example:
    """One row in the one shape that follows: messages, or text when there are none."""

    messages: list[Message]
    text: str | None = None


@dataclass(frozen=True)
class Format:
    """One shape of a row.

    columns: for each logical column (a field of Columns) its usual names, the first found being taken.
    required: logical columns whose presence tells the format.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    convert: Callable[["RowView"], Example]


@dataclass(frozen=True)
class RowView:
    """A row seen through a format and the document's column names."""

    row: Mapping[str, Any]
    names: Mapping[str, tuple[str, ...]]

    def get(self, logical: str) -> Any:
        """The column's value, None when the row has none."""
        return next((self.row[name] for name in self.names.get(logical, ()) if name in self.row), None)

    def text(self, logical: str) -> str:
        """The column as text; empty when absent."""
        return text_of(self.get(logical), self.names[logical][0])

    def needed(self, logical: str) -> Any:
        """The column's value; raises RowError when the row has none."""
        value = self.get(logical)
        if value is None:
            raise RowError(
                f"no column {' or '.join(self.names[logical])}; add it, or name another with columns.{logical}"
            )
        return value


def text_of(value: Any, where: str) -> str:
    """Text of a content: a string, nothing, or OpenAI's list of text parts."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, Mapping) and part.get("type") == "text" for part in value):
        return "".join(text_of(part.get("text"), where) for part in value)
    raise RowError(f"{where} must be text, this is {type(value).__name__} {repr(value)[:40]}")


def _turns(value: Any, view: RowView, where: str) -> list[Message]:
    """A list of turns, or its JSON text as csv has it."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise RowError(f"{where} must be a list of turns as JSON: {error}") from None
    if not isinstance(value, list):
        raise RowError(f"{where} must be a list of turns, this is {type(value).__name__}")
    return [_turn(turn, view, f"{where}[{index}]") for index, turn in enumerate(value)]


def _turn(turn: Any, view: RowView, where: str) -> Message:
    if not isinstance(turn, Mapping):
        raise RowError(f"{where} must be an object, this is {type(turn).__name__}")
    role_name, content_name = (
        next((name for name in view.names[logical] if name in turn), None) for logical in ("role", "content")
    )
    if role_name is None or content_name is None:
        wanted = " and ".join("/".join(view.names[logical]) for logical in ("role", "content"))
        raise RowError(f"{where} has {', '.join(map(str, turn)) or 'nothing'}, a turn needs {wanted}; see columns")
    role = ROLES.get(str(turn[role_name]).lower())
    if role is None:
        raise RowError(f"{where}.{role_name} is {turn[role_name]!r}; use one of {', '.join(sorted(ROLES))}")
    if turn.get("tool_calls"):
        raise RowError(f"{where}.tool_calls is not supported; write the call into the content as the model expects it")
    return {"role": role, "content": text_of(turn[content_name], f"{where}.{content_name}")}


def _with_system(view: RowView, turns: list[Message]) -> Example:
    system = view.text("system")
    if system and not (turns and turns[0]["role"] == "system"):
        turns = [{"role": "system", "content": system}, *turns]
    return Example(turns)


def _from_messages(view: RowView) -> Example:
    return _with_system(view, _turns(view.needed("messages"), view, view.names["messages"][0]))


def _from_alpaca(view: RowView) -> Example:
    question = "\n".join(part for part in (view.text("prompt"), view.text("input")) if part)
    turns: list[Message] = []
    for index, pair in enumerate(view.get("history") or []):
        if not (isinstance(pair, list | tuple) and len(pair) == 2):
            raise RowError(f"history[{index}] must be a pair [instruction, output]")
        turns += _exchange(text_of(pair[0], "history"), text_of(pair[1], "history"))
    return _with_system(view, [*turns, *_exchange(question, text_of(view.needed("completion"), "output"))])


def _from_prompt_completion(view: RowView) -> Example:
    prompt, completion = view.needed("prompt"), view.needed("completion")
    if isinstance(prompt, list) and isinstance(completion, list):
        return _with_system(view, [*_turns(prompt, view, "prompt"), *_turns(completion, view, "completion")])
    return _with_system(view, _exchange(text_of(prompt, "prompt"), text_of(completion, "completion")))


def _exchange(question: str, answer: str) -> list[Message]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def _from_text(view: RowView) -> Example:
    return Example([], text_of(view.needed("text"), view.names["text"][0]))


_TURN = {"role": ("role", "from"), "content": ("content", "value"), "system": ("system",)}

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("messages", {"messages": ("messages",), **_TURN}, ("messages",), _from_messages),
        Format("sharegpt", {"messages": ("conversations", "conversation"), **_TURN}, ("messages",), _from_messages),
        Format(
            "alpaca",
            {
                "prompt": ("instruction",),
                "input": ("input",),
                "completion": ("output",),
                "system": ("system",),
                "history": ("history",),
            },
            ("prompt", "completion"),
            _from_alpaca,
        ),
        Format(
            "prompt_completion",
            {"prompt": ("prompt", "query"), "completion": ("completion", "response"), **_TURN},
            ("prompt", "completion"),
            _from_prompt_completion,
        ),
        Format("text", {"text": ("text",)}, ("text",), _from_text),
    )
}
"""In the order in which they are tried."""


def column_names(one: Format, columns: Columns | None) -> dict[str, tuple[str, ...]]:
    """The format's columns under the names that the document gives, else under the usual ones."""
    given = columns.model_dump(exclude_none=True) if columns else {}
    return {logical: (given[logical],) if logical in given else usual for logical, usual in one.columns.items()}


def detect(row: Mapping[str, Any], columns: Columns | None) -> Format:
    """The first format whose required columns `row` has. Raises RowError that lists what each format needs."""
    for one in FORMATS.values():
        names = column_names(one, columns)
        if all(any(name in row for name in names[logical]) for logical in one.required):
            return one
    needs = "; ".join(
        f"{one.name} needs {' and '.join('/'.join(column_names(one, columns)[column]) for column in one.required)}"
        for one in FORMATS.values()
    )
    raise RowError(
        f"columns {', '.join(map(str, row)) or 'none'} are of no known format ({needs}); name them with columns"
    )


def unused_columns(one: Format, columns: Columns | None) -> list[str]:
    """Fields of `columns` that the format does not have: a name given for them would do nothing."""
    given = columns.model_dump(exclude_none=True) if columns else {}
    return sorted(set(given) - set(one.columns))
