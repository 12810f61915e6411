"""Rows of agents' steps: a conversation, the tools that may be called, and what should be said next."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swiftlet_trainer.data.formats import FORMATS, Format, column_names, converted, detect, key_book
from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.keys import READ_IN_PARTS, TOOLS, KeyBook, RowError, first_with_value, is_absent
from swiftlet_trainer.data.shown import shown
from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.evaluate.agents.function_calls import Due, due
from swiftlet_trainer.evaluate.agents.steps import Call, Step, step_of, step_of_text
from swiftlet_trainer.templates.agents.registry import AGENT_TEMPLATES
from swiftlet_trainer.templates.agents.template import AgentTemplate, UnwritableError

CHATS = ("messages", "sharegpt")
REFERENCES = ("target", "answer")
"""Names of the column with the step; without one it is the last turn."""


@dataclass(frozen=True)
class AgentRow:
    """turns: up to the step. schemas: of the tools' arguments, by name. text: the step as it should be said.

    template: writes the tools, calls and results of `turns`, and reads answers; without it turns are texts that say
    what may be called, in ReAct's words.
    """

    turns: list[Turn]
    schemas: Mapping[str, Mapping[str, Any]]
    text: str
    step: Step
    template: AgentTemplate | None = None
    tools: tuple[Tool, ...] = ()

    def read(self, answer: str) -> Step:
        """The step that an answer takes, which ends at the template's stop texts."""
        if self.template is None:
            return step_of_text(answer)
        found = self.template.parse(answer, self.tools)
        if found.problems and not found.calls:
            return Step("call")  # of no tool
        return step_of(found.content, [Call(call.name, call.arguments) for call in found.calls])

    @property
    def due(self) -> list[Due]:
        """The calls that the step makes."""
        return [due(call.name, call.arguments or {}) for call in self.step.calls]

    @property
    def counts(self) -> bool:
        """Whether its step can be taken at all: published rows have some that call what is not there."""
        return all(call.name in self.schemas and isinstance(call.arguments, Mapping) for call in self.step.calls)


def agent_row(row: Mapping[str, Any], template: str | None = None) -> AgentRow:
    """The row as a step, which an agent template may write. Raises RowError."""
    return _structured(row, AGENT_TEMPLATES[template]) if template else _said(row)


def _structured(row: Mapping[str, Any], template: AgentTemplate) -> AgentRow:
    """Of a conversation as training reads it."""
    if named := first_with_value(row, REFERENCES, ""):
        raise RowError(
            f"{named} is text; with agentTemplate the last turn is the step: give it as tool_calls or content"
        )
    found = detect(row, None, FORMATS)
    example = converted(row, found, None, key_book(found, None))
    if len(example.turns) < 2 or not example.turns[-1].is_answer:
        raise RowError("the last turn must be the assistant's, with calls or a text: it is the step that is due")
    if not example.tools:
        raise RowError("tools is empty; list the tools that may be called, each with its name and parameters")
    *turns, last = example.turns
    try:
        text = template.answer(last, example.tools)
    except UnwritableError as error:
        raise RowError(str(error)) from None
    step = step_of(last.content, [Call(call.name, call.arguments) for call in last.calls])
    return AgentRow(turns, tool_schemas(example.tools), text, step, template, example.tools)


def _said(row: Mapping[str, Any]) -> AgentRow:
    """Of texts in ReAct's words."""
    chat = next((FORMATS[name] for name in CHATS if not is_absent(row.get(_column(FORMATS[name])))), None)
    if chat is None:
        raise RowError("messages is missing; give the conversation up to the step, or with the step at its end")
    named = first_with_value(row, REFERENCES, "")
    turns = _turns(row, chat)
    if named is None:
        if not turns or turns[-1].role != "assistant":
            raise RowError("neither target nor a last message of the assistant says what should be said; add one")
        said = turns.pop().content
    else:
        said = row[named]
    if not isinstance(said, str) or not said.strip():
        raise RowError(f"{named or 'the last message'} is {shown(said)}; give the step as the agent should say it")
    if not turns or turns[-1].role == "assistant":
        raise RowError("nothing is asked before the step; the message before it must be the user's or a tool's")
    step = step_of_text(said)
    if step.plan == "call" and not step.calls:
        raise RowError(f"the step has neither Action: nor Final Answer: ({said[:40]!r}); write it in ReAct's words")
    return AgentRow(turns, tool_schemas(row.get("tools")), said, step)


def tool_schemas(value: Any) -> dict[str, Mapping[str, Any]]:
    """JSON schemas of arguments by the names of tools, from a list as OpenAI writes it, its functions alone, or either
    as JSON text. Raises RowError."""
    if isinstance(value, str):
        try:
            value = decoded(value)
        except JsonValueError as error:
            raise RowError(f"tools must be a list as JSON: {error}") from None
    if not isinstance(value, list | tuple) or not value:
        raise RowError(f"tools is {shown(value)}; list the tools that may be called, each with its name and parameters")
    found: dict[str, Mapping[str, Any]] = {}
    for index, tool in enumerate(value):
        function = tool.get("function", tool) if isinstance(tool, Mapping) else None
        name = function.get("name") if isinstance(function, Mapping) else None
        if not isinstance(name, str) or not name.strip():
            raise RowError(f"tools[{index}] names no tool; give it a name")
        schema = function.get("parameters") or {}  # type: ignore[union-attr]  # a name was found in it
        if not isinstance(schema, Mapping):
            raise RowError(f"tools[{index}].parameters is {shown(schema)}; give a JSON schema")
        if found.get(name, schema) != schema:
            raise RowError(f"tools has {name} twice with different parameters; leave one of them out")
        found[name] = schema
    return found


def _turns(row: Mapping[str, Any], chat: Format[Any]) -> list[Turn]:
    """The conversation as text alone: what tools gave is said by the user, as EvalScope asks ToolBench's rows."""
    column, names = _column(chat), column_names(chat, None)
    book = KeyBook(
        {
            "row": [*names["messages"], *names["system"], *REFERENCES, "tools"],
            "turn": [*names["role"], *names["content"]],
            "part": READ_IN_PARTS,
        },
        allowed=(TOOLS,),
    )
    told = row[column]
    if isinstance(told, list | tuple):
        told = [_told(one) for one in told]
    alone = {key: value for key, value in row.items() if key not in (*REFERENCES, "tools")}
    return converted({**alone, column: told}, chat, None, book).turns


def _told(message: Any) -> Any:
    if not isinstance(message, Mapping) or message.get("role") != "function":
        return message
    kept = {key: value for key, value in message.items() if key != "name"}
    return {"role": "user", "content": json.dumps(kept, ensure_ascii=False)}


def _column(chat: Format[Any]) -> str:
    return chat.columns["messages"][0]
