"""The form that a request asks its answer to have, as a grammar.

The grammar is llguidance's Lark: github.com/guidance-ai/llguidance, docs/syntax.md and docs/json_schema.md.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.serve.chat_requests import ANY_OBJECT, ChatRequest, NamedChoice
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.thought_reader import Thinks
from swiftlet_trainer.templates.agents.json_calls import around_calls
from swiftlet_trainer.templates.agents.template import BEGIN_OF_THOUGHT, END_OF_THOUGHT, JSON_OPENINGS, AgentTemplate

AS_WRITTEN = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}
"""JSON of calls has the blanks that agent templates write, which the model has learnt."""
ON_ONE_LINE = {**AS_WRITTEN, "item_separator": ", ?", "key_separator": ": ?"}
"""Other JSON may go without. Were lines allowed, a model that is unsure could make them for ever."""
SCHEMA_FIELD = "response_format.json_schema.schema"
TEXT = r"/(.|\n)*/"


@dataclass(frozen=True)
class Form:
    """grammar: of the whole answer. schemas: JSON schemas in it by the fields of the request that hold them. param: the
    field to blame for the rest."""

    grammar: str
    param: str
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def form_of(
    request: ChatRequest, agent: AgentTemplate | None, control: Mapping[str, int], thinks: Thinks = "no"
) -> Form | None:
    """The form; None where the answer may say anything. agent: by which calls are read, where there are tools.
    control: token ids of control tokens by their texts. thinks: before what is kept to the form. Raises Refused for
    what cannot be kept to."""
    found = _said(request, agent, control)
    return replace(found, grammar=f"{_start(control, thinks)}TEXT: {TEXT}\n{found.grammar}") if found else None


def _start(control: Mapping[str, int], thinks: Thinks) -> str:
    """The rule `start`: the rule `said`, perhaps behind a thought."""
    if thinks == "no":
        return "start: said\n"
    begin, end = (_literal(mark, control) for mark in (BEGIN_OF_THOUGHT, END_OF_THOUGHT))
    # No text has a control token in it; of another mark, the first ends the thought.
    thought = f"thought{'' if end.startswith('<[') else '[lazy]'}: TEXT {end}\nblanks: /\\s{{0,4}}/\n"
    return f"start: {'thought' if thinks == 'opened' else f'({begin} thought)?'} blanks said\n{thought}"


def _said(request: ChatRequest, agent: AgentTemplate | None, control: Mapping[str, int]) -> Form | None:
    """The form of what is said, by the rule `said`."""
    tools, must_call = request.callable_tools, request.must_call
    schema = request.response_format.wanted if request.response_format else None
    if agent and (must_call or schema is not None or any(map(_is_strict, tools))):
        chosen = request.tool_choice.function.name if isinstance(request.tool_choice, NamedChoice) else None
        several = agent.parallel and request.parallel_tool_calls and not chosen
        calls = _Calls(agent, [chosen] if chosen else [tool["function"]["name"] for tool in tools], several, control)
        if must_call:
            return Form(calls.alone(tools), "tool_choice", _by_field(tools, calls.names))
        if schema is None:
            return Form(calls.behind_text(tools), "tools", _by_field(tools, calls.names))
        grammar = f"said: calls | answer\nanswer: {_json(schema, ON_ONE_LINE)}\n{calls.rules(tools)}"
        return Form(grammar, "tools", {SCHEMA_FIELD: schema, **_by_field(tools, calls.names)})
    if schema is None:
        return None
    return Form(f"said: {_json(schema, ON_ONE_LINE)}\n", "response_format", {SCHEMA_FIELD: schema})


class _Calls:
    """Calls of tools as the agent template writes them: the first of any of `names`, others behind it where `several`
    may be. Raises Refused for a template whose arguments are no JSON."""

    def __init__(self, agent: AgentTemplate, names: Sequence[str], several: bool, control: Mapping[str, int]) -> None:
        self.names, self._agent, self._several, self._control = names, agent, several, control
        if around_calls(agent, names[:1]) is None:
            raise Refused(
                f"tool_choice, strict and response_format with tools: agentTemplate {agent.name} does not write "
                "arguments as JSON, and only JSON is kept to here; set auto without strict, or serve the model by vllm",
                "tool_choice",
            )

    def alone(self, tools: Sequence[Tool]) -> str:
        """A grammar of calls, and nothing else."""
        return f"said: calls\n{self.rules(tools)}"

    def behind_text(self, tools: Sequence[Tool]) -> str:
        """A grammar of any text, behind which there may be calls. Raises Refused where calls begin with nothing that
        texts do not have as well."""
        opening = self._agent.opening
        if not opening or opening[0] in JSON_OPENINGS:
            raise Refused(
                f"tools: strict: calls of agentTemplate {self._agent.name} begin as other text may, so that they can "
                "be kept to only with tool_choice required or a named tool; set one of them, or leave strict out",
                "tools",
            )
        mark = _literal(opening, self._control)
        if mark.startswith("<["):  # a control token, which no text is
            return f"said: TEXT calls?\n{self.rules(tools)}"
        return f"said: TEXT | head calls\nhead[lazy]: TEXT {mark}\n{self.rules(tools, opening)}"

    def rules(self, tools: Sequence[Tool], said: str = "") -> str:
        """The rule `calls`, and those that it needs. said: what came of the first call already."""
        named = {tool["function"]["name"]: tool for tool in tools}
        firsts, nexts, arguments, end = list[str](), list[str](), list[str](), ""
        for number, name in enumerate(self.names):
            pieces = around_calls(self._agent, [self.names[0], name] if self._several else [name])
            assert pieces  # noqa: S101  (the first name had some)
            alone = around_calls(self._agent, [name]) or []
            firsts.append(f"{_literal(alone[0].removeprefix(said), self._control)} arguments{number}")
            nexts.append(f"{_literal(pieces[-2], self._control)} arguments{number}")
            arguments.append(f"arguments{number}: {_json(_arguments(named[name]), AS_WRITTEN)}")
            end = _literal(alone[-1], self._control)
        others = f" ({' | '.join(nexts)})*" if self._several else ""
        return "\n".join([f"calls: ({' | '.join(firsts)}){others} {end}", *arguments, ""])


def _literal(text: str, control: Mapping[str, int]) -> str:
    """A text in the grammar: control tokens in it are tokens."""
    found = sorted((token for token in control if token in text), key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, found))})", text) if found else [text]
    return " ".join(
        f"<[{control[part]}]>" if part in control else json.dumps(part, ensure_ascii=False) for part in parts if part
    )


def _json(schema: Mapping[str, Any], style: Mapping[str, Any]) -> str:
    return f"%json {json.dumps({**schema, 'x-guidance': style}, ensure_ascii=False)}"


def _arguments(tool: Tool) -> Mapping[str, Any]:
    return {**ANY_OBJECT, **tool["function"].get("parameters", {})}


def _by_field(tools: Sequence[Tool], names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    return {
        f"tools.{index}.function.parameters": _arguments(tool)
        for index, tool in enumerate(tools)
        if tool["function"]["name"] in names
    }


def _is_strict(tool: Tool) -> bool:
    return tool["function"].get("strict") is True
