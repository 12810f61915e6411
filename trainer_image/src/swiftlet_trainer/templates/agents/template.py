"""What an agent template is, and what an answer says when it is read by one."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from swiftlet_trainer.data.json_values import TOO_DEEP
from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn

BEGIN_OF_THOUGHT, END_OF_THOUGHT = "<think>", "</think>"
"""Around the thought of an answer; its beginning may have been part of the prompt."""
JSON_OPENINGS = ("{", "[")
"""Behind them, JSON may have blanks."""


class UnwritableError(ValueError):
    """The template has no way to write something; the text says what, why, and the remedy."""


@dataclass(frozen=True)
class Parsed:
    """An answer as it is read. content: what is said beside the calls. calls: in order. problems: what looks like a
    call and is none, each with the reason. thought: what came before the end of a thought, None where there is none."""

    content: str
    calls: tuple[ToolCall, ...] = ()
    problems: tuple[str, ...] = ()
    thought: str | None = None


@dataclass(frozen=True)
class AgentTemplate:
    """A way of writing tools, calls and results into the turns of a conversation.

    name: by which documents choose it.
    introduced: (tools, what the turn says by itself) -> the turn that introduces the tools.
    written: calls of one answer -> the text behind what the answer says.
    results: results of one answer's calls -> one text.
    read: (answer without its thought, tools) -> what it says; values are typed by the tools' schemas where the format
          has no types.
    results_in: whose turn the results are. Of the assistant's they are a part that was given to it.
    introduces_in: the turn that introduces tools: the system's, or the first of the user.
    between: what is put between what an answer says and its calls.
    ends: what ends a call whose results follow within the assistant's turn; the end of turns stands there otherwise.
    thought: what is put around a thought where thoughts are part of the answer; None: the chat template writes them.
    stop: texts at which an answer with a call ends, besides the end of the turn.
    tokens: control tokens without which it cannot be written.
    parallel: whether an answer may have several calls.
    source: where the format is from.
    limits: what it cannot carry.
    """

    name: str
    introduced: Callable[[Sequence[Tool], str], str]
    written: Callable[[Sequence[ToolCall]], str]
    results: Callable[[Sequence[Turn]], str]
    read: Callable[[str, Sequence[Tool]], Parsed]
    source: str
    results_in: Literal["user", "tool", "assistant"] = "user"
    introduces_in: Literal["system", "user"] = "system"
    between: str = "\n"
    ends: str = ""
    thought: tuple[str, str] | None = None
    stop: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    parallel: bool = True
    limits: str = ""

    @cached_property
    def opening(self) -> str:
        """What every call begins with; empty where calls begin with the name of a tool."""
        name = "name_of_a_tool"
        before = self.written([ToolCall(name, {})]).partition(name)[0].strip()
        return before[:1] if before[:1] in JSON_OPENINGS else "".join(before.split()[:1])

    def parse(self, text: str, tools: Sequence[Tool] = ()) -> Parsed:
        """What an answer says: calls in its thought are none. tools: that it may call, for the types of arguments."""
        thought, end, said = text.rpartition(END_OF_THOUGHT)
        if self.thought is not None or not end:
            return self.read(text, tools)
        thought = thought.strip().removeprefix("<think>").strip()
        return replace(self.read(said.lstrip("\n"), tools), thought=thought)

    def answer(self, turn: Turn, tools: Sequence[Tool] = ()) -> str:
        """What an assistant's turn says, with its calls. Raises UnwritableError where the calls would not be read back
        as they are: nothing that is learnt may say something else than the row."""
        content = turn.content
        if self.thought is not None and turn.thought:
            content = f"{self.thought[0]}{turn.thought}{self.thought[1]}\n{content}".rstrip("\n")
        if not turn.calls:
            return content
        text = f"{content}{self.between if content else ''}{self.written(turn.calls)}"
        found = self.read(text, tools)
        if found.problems:
            raise UnwritableError(f"template.agentTemplate {self.name} cannot write it: {found.problems[0]}")
        for index, call in enumerate(turn.calls):
            back = found.calls[index] if index < len(found.calls) else None
            if back is None or _said(back) != _said(call):
                raise UnwritableError(self._lost(call, back))
        if len(found.calls) > len(turn.calls):
            raise UnwritableError(self._lost(None, found.calls[-1]))
        return text

    def _lost(self, call: ToolCall | None, back: ToolCall | None) -> str:
        was = f"the call {_said(call)[:120]}" if call else "text that is no call"
        now = f"as {_said(back)[:120]}" if back else "as no call"
        why = f" ({self.limits})" if self.limits else ""
        return (
            f"template.agentTemplate {self.name} would have {was} read back {now}{why}; "
            "change the row, or choose another agentTemplate"
        )


def function_of(tool: Tool) -> Mapping[str, Any]:
    """The function that a tool is: name, description, parameters."""
    function: Mapping[str, Any] = tool["function"]
    return function


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON as chat templates write it: characters as they are, on one line. Raises UnwritableError for a number that is
    none."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError:
        raise UnwritableError("a number is infinite or NaN, which JSON does not have; write another value") from None
    except RecursionError:
        raise UnwritableError(TOO_DEEP) from None


def call_of(value: Any, arguments: str = "arguments") -> ToolCall | str:
    """The call that a JSON value {"name", arguments} is, or why it is none."""
    if not isinstance(value, Mapping):
        return f"a call must be a JSON object, this is {type(value).__name__}"
    name, given = value.get("name"), value.get(arguments, {})
    if not isinstance(name, str) or not name.strip():
        return "a call names no tool"
    if not isinstance(given, Mapping):
        return f"the call of {name} has {arguments} that are no JSON object"
    return ToolCall(name, given)


def _said(call: ToolCall) -> str:
    return json.dumps([call.name, call.arguments], ensure_ascii=False)
