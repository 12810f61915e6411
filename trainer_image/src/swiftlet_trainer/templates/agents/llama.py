"""Llama 3 and 4: calls as JSON objects, tools in the user's first turn, results in turns of the interpreter."""

import re
from collections.abc import Sequence

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.json_values import NoJsonError, value_at
from swiftlet_trainer.templates.agents.template import AgentTemplate, Parsed, call_of, json_text

TOOLS = """Given the following functions, please respond with a JSON for a function call with its proper arguments \
that best answers the given prompt.

Respond in the format {{"name": function name, "parameters": dictionary of argument name and its value}}.Do not use \
variables.

{tools}

{said}"""
OBJECT = re.compile(r'\{\s*"(?:name|type|parameters)"')
SEPARATORS = " \t\n;,[]"


def _introduced(tools: Sequence[Tool], said: str) -> str:
    return TOOLS.format(tools="\n\n".join(json_text(tool, indent=4) for tool in tools), said=said.strip())


def _written(calls: Sequence[ToolCall]) -> str:
    return "\n".join(json_text({"name": call.name, "parameters": call.arguments}) for call in calls)


def _read(text: str, _tools: Sequence[Tool] = ()) -> Parsed:
    """An answer with calls as JSON objects, wherever they stand."""
    said, calls, problems, place = list[str](), list[ToolCall](), list[str](), 0
    for token in ("<|python_tag|>", "<|eom_id|>", "<|eom|>"):
        text = text.removeprefix(token).removesuffix(token)
    while found := OBJECT.search(text, place):
        try:
            value, end = value_at(text, found.start())
        except NoJsonError as error:
            problems.append(f"a call is not read: {error}")
            place = len(text)
            break
        call = call_of(value, "parameters") if "parameters" in value else ""
        said.append(text[place : found.start() if call else end])
        place = end
        if isinstance(call, ToolCall):
            calls.append(call)
        elif call:
            problems.append(call)
    said.append(text[place:])
    return Parsed("\n".join(part for one in said if (part := one.strip(SEPARATORS))), tuple(calls), tuple(problems))


def _llama(name: str, header: tuple[str, str], turn: str, message: str) -> AgentTemplate:
    """header: around the name of a role; turn and message: what ends turns, and messages that go on with a result."""

    def results(results: Sequence[Turn]) -> str:
        each = (f"{header[0]}ipython{header[1]}\n\n{one.content}{turn}" for one in results)
        return f"{''.join(each)}{header[0]}assistant{header[1]}\n\n"

    return AgentTemplate(
        name=name,
        introduced=_introduced,
        written=_written,
        results=results,
        read=_read,
        source="the chat template of Llama 3.1",
        results_in="assistant",
        introduces_in="user",
        ends=turn,
        stop=(message,),
        tokens=(*header, turn),
        limits="what the answer says has no JSON object that is a call",
    )


LLAMA = (
    _llama("llama3", ("<|start_header_id|>", "<|end_header_id|>"), "<|eot_id|>", "<|eom_id|>"),
    _llama("llama4", ("<|header_start|>", "<|header_end|>"), "<|eot|>", "<|eom|>"),
)
