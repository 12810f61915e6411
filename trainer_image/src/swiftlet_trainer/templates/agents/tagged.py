"""Calls whose arguments stand each between tags of its own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.templates.agents.template import Parsed
from swiftlet_trainer.templates.agents.typed import schemas, typed, value_text

NAME = r"(?P<name>[^<>\"\n]*)"


@dataclass(frozen=True)
class Tagged:
    """The pieces around what is written. call: before and behind a tool's name. argument: before and behind an
    argument's name. end and call_end: behind its value, and behind all of them. opens and closes: around all calls.
    behind: what an answer with calls ends with."""

    call: tuple[str, str]
    argument: tuple[str, str]
    end: str
    call_end: str
    between: str = "\n"
    opens: str = ""
    closes: str = ""
    behind: str = ""

    def written(self, calls: Sequence[ToolCall]) -> str:
        """The calls of one answer."""
        return f"{self.opens}{self.between.join(map(self._written, calls))}{self.closes}{self.behind}"

    def _written(self, call: ToolCall) -> str:
        before, behind = self.argument
        given = (f"{before}{name}{behind}{value_text(value)}{self.end}" for name, value in call.arguments.items())
        return f"{self.call[0]}{call.name}{self.call[1]}{''.join(given)}{self.call_end}"

    def read(self, text: str, tools: Sequence[Tool] = ()) -> Parsed:
        """An answer with such calls. Blanks around tags need not be there."""
        said, calls, problems, place = list[str](), list[ToolCall](), list[str](), 0
        while found := self._head.search(text, place):
            said.append(text[place : found.start()])
            name, place, arguments = found["name"].strip(), found.end(), dict[str, Any]()
            known = schemas(tools, name)
            while given := self._argument.match(text, place):
                arguments[given["name"]] = typed(given["value"], known.get(given["name"]))
                place = given.end()
            if closed := self._call_end.match(text, place):
                place = closed.end()
                calls.append(ToolCall(name, arguments))
                continue
            problems.append(f"the call of {name} is not closed: {text[place : place + 40]!r}")
            following = self._call_end.search(text, place)
            place = following.end() if following else len(text)
        said.append(text[place:])
        return Parsed("\n".join(part for one in said if (part := self._bare(one))), tuple(calls), tuple(problems))

    def _bare(self, text: str) -> str:
        """What is said in a text beside calls."""
        for piece in (self.behind, self.closes, self.opens):
            text = text.strip().removeprefix(piece.strip()).removesuffix(piece.strip())
        return text.strip()

    @cached_property
    def _head(self) -> re.Pattern[str]:
        return re.compile(rf"{_core(self.call[0])}\s*{NAME}\s*{_core(self.call[1])}")

    @cached_property
    def _argument(self) -> re.Pattern[str]:
        before, behind = self.argument
        first, last = ("\n?" if edge else "" for edge in (behind.endswith("\n"), self.end.startswith("\n")))
        value = f"{first}(?P<value>.*?){last}"  # a line break beside a tag is the tag's
        return re.compile(rf"\s*{_core(before)}{NAME}{_core(behind)}{value}{_core(self.end)}", re.DOTALL)

    @cached_property
    def _call_end(self) -> re.Pattern[str]:
        return re.compile(rf"\s*{_core(self.call_end)}")


def _core(piece: str) -> str:
    """A pattern of a piece with any blanks between its lines, and none around them."""
    return r"\s*".join(re.escape(line) for line in piece.split("\n") if line)
