"""Calls as lines that begin with keywords: what to call, then what with, then what came of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.json_values import NoJsonError, value_at
from swiftlet_trainer.templates.agents.template import Parsed, call_of, json_text

LIMITS = "a tool's name is one line, and what the answer says has no line that begins a call"


@dataclass(frozen=True)
class Keywords:
    """The keywords before a tool's name, its arguments as JSON, and its result."""

    action: str
    arguments: str
    result: str

    def written(self, calls: Sequence[ToolCall]) -> str:
        """Calls, and the keyword at which the answer ends so that results can follow."""
        lines = [f"{self.action} {call.name}\n{self.arguments} {json_text(call.arguments)}\n" for call in calls]
        return "".join([*lines, self.result])

    def results(self, results: Sequence[Turn]) -> str:
        """Results behind that keyword, within the assistant's turn."""
        texts = [one.content if one.content.endswith("\n") else f"{one.content}\n" for one in results]
        return self.result.join(texts)

    def read(self, text: str, _tools: Sequence[Tool] = ()) -> Parsed:
        """An answer with such calls. What follows the keyword of a result was imagined by the model."""
        calls, problems = list[ToolCall](), list[str]()
        found = self._call.search(text)
        said, imagined = [text[: found.start()] if found else text], ""
        while found:
            call, end = self._argued(text, found)
            following = self._call.search(text, end)
            gap = text[end : following.start() if following else len(text)]
            behind, result, imagined = gap.partition(self.result)
            if isinstance(call, str):
                problems.append(call)
            else:
                calls.append(call)
                said.append(behind)
            found = None if result else following
        if imagined := imagined.strip():
            problems.append(f"a result is imagined behind {self.result!r}: {imagined[:40]!r}")
        return Parsed("\n".join(part for one in said if (part := one.strip())), tuple(calls), tuple(problems))

    def _argued(self, text: str, found: re.Match[str]) -> tuple[ToolCall | str, int]:
        """The call whose name and keyword were found, or why it is none, and where it ends."""
        try:
            value, end = value_at(text, found.end())
        except NoJsonError as error:
            return f"the arguments of {found['name'] or 'a call'} are not read: {error}", found.end()
        return call_of({"name": found["name"], "arguments": value}), end

    @cached_property
    def _call(self) -> re.Pattern[str]:
        return re.compile(
            rf"(?<!\S){re.escape(self.action)}[ \t]*(?P<name>[^\n]{{0,200}}?)\s*{re.escape(self.arguments)}"
        )
