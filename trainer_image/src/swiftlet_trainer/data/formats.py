"""The formats of a row, and their conversion to one shape: a conversation, or plain text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from swiftlet.api.v1alpha1.dataset import Columns

from swiftlet_trainer.data.calls import calls_of
from swiftlet_trainer.data.contents import text_of
from swiftlet_trainer.data.examples import AnyExample, Example
from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.keys import (
    READ_IN_BLOCKS,
    READ_IN_PARTS,
    READ_IN_TURNS,
    KeyBook,
    RowError,
    first_with_value,
    is_absent,
    is_empty,
)
from swiftlet_trainer.data.linked import joined, linked, untold
from swiftlet_trainer.data.shown import shown
from swiftlet_trainer.data.tool_descriptions import tools_of
from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn, TurnKeys, agreed, is_turns, mark_of, turns_of

Made = TypeVar("Made", bound=AnyExample, covariant=True)


@dataclass(frozen=True)
class Format(Generic[Made]):
    """One way to write a row.

    columns: for each logical column (a field of Columns) its usual names, the first found being taken.
    required: logical columns whose presence tells the format.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    convert: Callable[["RowView"], Made]


@dataclass(frozen=True)
class RowView:
    """A row seen through a format and the document's column names. book: what becomes of all other keys. marks: those
    of the row itself, how much of it is learnt."""

    row: Mapping[str, Any]
    names: Mapping[str, tuple[str, ...]]
    book: KeyBook = field(default_factory=KeyBook)
    marks: Mapping[str, Any] = field(default_factory=dict)

    @property
    def keys(self) -> TurnKeys:
        """Names within a turn."""
        return TurnKeys(self.names.get("role", ()), self.names.get("content", ()), self.book)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """That its turns may call."""
        name = first_with_value(self.row, self.names.get("tools", ()), "")
        return () if name is None else tools_of(self.row[name], name)

    def get(self, logical: str) -> Any:
        """The column's value, None when the row has none."""
        name = first_with_value(self.row, self.names.get(logical, ()), "")
        return None if name is None else self.row[name]

    def text(self, logical: str) -> str:
        """The column as text; empty when absent."""
        value = self.get(logical)
        return "" if value is None else text_of(value, self.names[logical][0], self.book)

    def needed(self, logical: str) -> Any:
        """The column's value; raises RowError when the row has none."""
        value = self.get(logical)
        if value is None:
            raise RowError(
                f"no column {' or '.join(self.names[logical])}; add it, or name another with columns.{logical}"
            )
        return value


def _marked(view: RowView, turns: list[Turn]) -> list[Turn]:
    """The turns with the row's own marks: one for all answers, or a list with one for each turn."""
    for key, value in view.marks.items():
        if isinstance(value, str) and value.strip().startswith("["):
            value = _json(value, key)
        if not isinstance(value, list | tuple):
            value = [mark_of(value, key) if turn.role == "assistant" else None for turn in turns]
        if len(value) != len(turns):
            raise RowError(f"{key} has {len(value)} marks, the row has {len(turns)} turns; write one for each")
        said = [None if is_absent(one) else mark_of(one, f"{key}[{index}]") for index, one in enumerate(value)]
        turns = [
            turn if one is None else replace(turn, weight=agreed({key: one, **_own(turn)}, f"turn {index}"))
            for index, (turn, one) in enumerate(zip(turns, said, strict=True))
        ]
    return turns


def _own(turn: Turn) -> dict[str, float]:
    return {} if turn.weight is None else {"the turn's own mark": turn.weight}


def conversation(view: RowView, turns: list[Turn]) -> Example:
    """The turns as the row marks them, with its system and its tools. Raises RowError."""
    said = system_first(view, joined(_marked(view, turns)))
    tools = untold(view.tools, said)
    return Example(linked(said, tools), tools=tools)


def system_first(view: RowView, turns: list[Turn]) -> list[Turn]:
    """The turns with what the row's own column says of the system. Raises RowError where they say something else, and
    where two turns of the system come first."""
    system = view.text("system")
    if [turn.role for turn in turns[:2]] == ["system", "system"]:
        raise RowError("the first two turns are both of the system; write them as one")
    if system and not (turns and turns[0].role == "system"):
        return [Turn("system", system), *turns]
    if system and system != turns[0].content:
        raise RowError(f"{view.names['system'][0]} and the first turn are both of the system; leave one of them out")
    return turns


def _from_messages(view: RowView) -> Example:
    return conversation(view, turns_of(view.needed("messages"), view.names["messages"][0], view.keys))


def _from_alpaca(view: RowView) -> Example:
    answer = text_of(view.needed("completion"), "output", view.book)
    return conversation(view, [*history_turns(view), *_exchange(question_of(view), answer)])


def question_of(view: RowView) -> str:
    """What is asked: the prompt, and the input that it is about."""
    return "\n".join(part for part in (view.text("prompt"), view.text("input")) if part)


def history_turns(view: RowView) -> list[Turn]:
    """What was said before the question."""
    history, turns = view.get("history"), list[Turn]()
    if isinstance(history, str):
        history = [] if is_empty(history) else _json(history, "history")
    if not isinstance(history, list | tuple | None):
        raise RowError(f"history must be a list of pairs [instruction, output], this is {shown(history)}")
    for index, pair in enumerate(history or []):
        if not (isinstance(pair, list | tuple) and len(pair) == 2):
            raise RowError(f"history[{index}] must be a pair [instruction, output], this is {shown(pair)}")
        turns += _exchange(*(text_of(one, f"history[{index}]", view.book) for one in pair))
    return turns


def _from_prompt_completion(view: RowView) -> Example:
    turns: list[Turn] = []
    for logical, role in (("prompt", "user"), ("completion", "assistant")):
        value, where = view.needed(logical), view.names[logical][0]
        if is_turns(value, view.keys):
            turns += turns_of(value, where, view.keys)
        else:
            turns.append(Turn(role, text_of(value, where, view.book)))  # type: ignore[arg-type]
    return conversation(view, turns)


def _from_xlam(view: RowView) -> Example:
    """A question, tools, and calls that answer it."""
    name = view.names["completion"][0]
    calls = calls_of(view.needed("completion"), name)
    return conversation(view, [Turn("user", view.text("prompt")), Turn("assistant", "", calls=calls)])


def _exchange(question: str, answer: str) -> list[Turn]:
    return [Turn("user", question), Turn("assistant", answer)]


def _from_text(view: RowView) -> Example:
    weight = agreed(view.marks, "")
    return Example([], text_of(view.needed("text"), view.names["text"][0], view.book), weight)


def _json(text: str, where: str) -> Any:
    """A list in a cell of CSV."""
    try:
        return decoded(text)
    except JsonValueError as error:
        raise RowError(f"{where} must be a list as JSON: {error}") from None


TOOLS = ("tools", "functions")
_TURN = {"role": ("role", "from"), "content": ("content", "value"), "system": ("system",), "tools": TOOLS}

FORMATS: dict[str, Format[Example]] = {
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
                "tools": TOOLS,
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
        Format(
            "xlam",
            {"prompt": ("query",), "tools": TOOLS, "completion": ("answers",), "system": ("system",)},
            ("prompt", "tools", "completion"),
            _from_xlam,
        ),
        Format("text", {"text": ("text",)}, ("text",), _from_text),
    )
}
"""In the order in which they are tried."""


def column_names(one: Format[Any], columns: Columns | None) -> dict[str, tuple[str, ...]]:
    """The format's columns under the names that the document gives, else under the usual ones."""
    given = columns.model_dump(exclude_none=True) if columns else {}
    return {logical: (given[logical],) if logical in given else usual for logical, usual in one.columns.items()}


def key_book(one: Format[Any], columns: Columns | None) -> KeyBook:
    """What the keys of a file of this format mean."""
    names = column_names(one, columns)
    within = {"role", "content"}
    return KeyBook(
        {
            "row": [name for logical, known in names.items() if logical not in within for name in known],
            "turn": [*(name for logical in within for name in names.get(logical, ())), *READ_IN_TURNS],
            "part": READ_IN_PARTS,
            "block": READ_IN_BLOCKS,
        }
    )


def detect(row: Mapping[str, Any], columns: Columns | None, formats: Mapping[str, Format[Made]]) -> Format[Made]:
    """The first format whose required columns have a value in `row`, else the first whose columns are there.

    Raises RowError that lists what each format needs, or that names a column of data of another kind.
    """
    given = columns.model_dump(exclude_none=True) if columns else {}
    usual = [name for one in formats.values() for names in one.columns.values() for name in names]
    KeyBook({"row": [*given.values(), *usual]}).marks("row", row)
    valued = {name for name, value in row.items() if not is_absent(value)}
    for present in (valued, set(row)):
        for one in formats.values():
            names = column_names(one, columns)
            if all(present.intersection(names[logical]) for logical in one.required):
                return one
    needs = "; ".join(
        f"{one.name} needs {' and '.join('/'.join(column_names(one, columns)[column]) for column in one.required)}"
        for one in formats.values()
    )
    raise RowError(
        f"columns {', '.join(map(str, row)) or 'none'} are of no known format ({needs}); name them with columns"
    )


def converted(row: Mapping[str, Any], one: Format[Made], columns: Columns | None, book: KeyBook) -> Made:
    """The row in the one shape. Raises RowError."""
    try:
        return one.convert(RowView(row, column_names(one, columns), book, book.marks("row", row)))
    except RecursionError:
        raise RowError("nested too deeply to be read; a row has a few levels at most") from None


def unused_columns(one: Format[Any], columns: Columns | None) -> list[str]:
    """Fields of `columns` that the format does not have: a name given for them would do nothing."""
    given = columns.model_dump(exclude_none=True) if columns else {}
    return sorted(set(given) - set(one.columns))
