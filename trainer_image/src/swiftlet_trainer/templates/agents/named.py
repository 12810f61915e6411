"""Calls as a tool's name and then its arguments as JSON, between tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.templates.agents.json_values import NoJsonError, value_at
from swiftlet_trainer.templates.agents.template import Parsed, call_of, json_text

LIMITS = "a tool's name is one line without blanks around it"


@dataclass(frozen=True)
class Named:
    """The pieces around what is written. begin, middle, end: before a name, before its arguments, behind them. opens
    and closes: around all calls."""

    begin: str
    middle: str
    end: str
    between: str = ""
    opens: str = ""
    closes: str = ""

    def written(self, calls: Sequence[ToolCall]) -> str:
        """The calls of one answer."""
        each = (f"{self.begin}{call.name}{self.middle}{json_text(call.arguments)}{self.end}" for call in calls)
        return f"{self.opens}{self.between.join(each)}{self.closes}"

    def read(self, text: str, _tools: Sequence[Tool] = ()) -> Parsed:
        """An answer with such calls. Blanks around tokens need not be there."""
        said, calls, problems, place = list[str](), list[ToolCall](), list[str](), 0
        while (begin := text.find(self.begin.strip(), place)) >= 0:
            said.append(text[place:begin])
            call, place = self._call(text, begin + len(self.begin.strip()))
            if isinstance(call, str):
                problems.append(call)
            else:
                calls.append(call)
        said.append(text[place:])
        return Parsed("\n".join(part for one in said if (part := self._bare(one))), tuple(calls), tuple(problems))

    def _call(self, text: str, start: int) -> tuple[ToolCall | str, int]:
        """The call that begins there, or why it is none, and where it ends."""
        end, middle = self.end.strip(), self.middle.strip()
        behind = text.find(end, start)
        following = behind + len(end) if behind >= 0 else len(text)
        name, found, _ = text[start:].partition(middle)
        if not found or "\n" in name.strip():
            return f"a call has no {middle!r} behind its name: {text[start : start + 40]!r}", following
        try:
            value, place = value_at(text, start + len(name) + len(middle))
        except NoJsonError as error:
            return f"the arguments of {name.strip()} are not read: {error}", following
        rest = text[place:].lstrip()
        if rest and not rest.startswith(end):
            return f"the call of {name.strip()} goes on behind its arguments with {rest[:40]!r}", following
        return call_of({"name": name.strip(), "arguments": value}), len(text) - len(rest.removeprefix(end))

    def _bare(self, text: str) -> str:
        """What is said in a text beside calls."""
        for piece in filter(None, (self.closes.strip(), self.opens.strip())):
            text = text.strip().removeprefix(piece).removesuffix(piece)
        return text.strip()
