"""Contents of typed blocks, as Anthropic writes them: what the assistant thinks, says and calls, and the results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swiftlet_trainer.data.calls import calls_of
from swiftlet_trainer.data.contents import text_of
from swiftlet_trainer.data.keys import BLOCK_TEXT, KeyBook, RowError, first_with_value, is_absent
from swiftlet_trainer.data.tools import ToolCall

THOUGHTS = ("thinking", "reasoning", "thought")
CALLS = ("tool_use",)
RESULTS = ("tool_result",)
BLOCKS = (*THOUGHTS, *CALLS, *RESULTS)
"""Types of blocks that are no text."""


@dataclass(frozen=True)
class Said:
    """What the assistant says in one turn."""

    text: str
    thought: str | None
    calls: tuple[ToolCall, ...]


@dataclass(frozen=True)
class Told:
    """What the assistant is told: a text, or what came of a call. call_id: of which one."""

    text: str
    is_result: bool = False
    call_id: str | None = None


def has_blocks(content: Any) -> bool:
    """Whether a content is a list with blocks that are no text."""
    return isinstance(content, list | tuple) and any(_kind(one) in BLOCKS for one in content)


def said_of(blocks: Sequence[Any], where: str, book: KeyBook) -> Said:
    """A turn of the assistant. Raises RowError where blocks stand in another order than templates write them in."""
    thoughts, texts, calls = list[str](), list[str](), list[ToolCall]()
    for index, block in enumerate(blocks):
        place, kind = f"{where}[{index}]", _kind(block)
        if (kind not in CALLS and calls) or (kind in THOUGHTS and texts):
            behind = "a call" if calls else "text"
            raise RowError(f"{place} stands behind {behind}; a turn has thoughts, then text, then calls: make it two")
        if kind in THOUGHTS:
            book.marks("block", block, place)
            thoughts.append(_text(block, place, book))
        elif kind in CALLS:
            book.marks("block", block, place)
            calls += calls_of(block, place)
        else:
            texts.append(text_of(block, place, book))
    return Said("".join(texts), "\n".join(one for one in thoughts if one.strip()) or None, tuple(calls))


def told_of(blocks: Sequence[Any], where: str, book: KeyBook) -> Iterator[Told]:
    """A turn of the user, in order."""
    for index, block in enumerate(blocks):
        place = f"{where}[{index}]"
        if _kind(block) not in RESULTS:
            yield Told(text_of(block, place, book))
            continue
        book.marks("block", block, place)
        number, content = block.get("tool_use_id"), block.get("content")
        text = "" if is_absent(content) else text_of(content, f"{place}.content", book)
        yield Told(text, True, None if is_absent(number) else str(number))


def _kind(block: Any) -> Any:
    return block.get("type") if isinstance(block, Mapping) else None


def _text(block: Mapping[str, Any], where: str, book: KeyBook) -> str:
    name = first_with_value(block, BLOCK_TEXT, where)
    return "" if name is None else text_of(block[name], f"{where}.{name}", book)
