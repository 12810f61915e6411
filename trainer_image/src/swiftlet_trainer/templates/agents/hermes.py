"""Hermes: calls as JSON between <tool_call> tags, results in a turn of the user; SmolLM2, Qwen2.5 and Qwen3 use it."""

import re
from collections.abc import Sequence

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.json_values import NoJsonError, value_at
from swiftlet_trainer.templates.agents.template import AgentTemplate, Parsed, call_of, json_text

BEGIN, END = "<tool_call>", "</tool_call>"
TOOLS = """# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{tools}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{{"name": <function-name>, "arguments": <args-json-object>}}
</tool_call>"""


def _introduced(tools: Sequence[Tool], system: str) -> str:
    before = f"{system}\n\n" if system else ""
    return before + TOOLS.format(tools="\n".join(json_text(tool) for tool in tools))


def _written(calls: Sequence[ToolCall]) -> str:
    named = ({"name": call.name, "arguments": call.arguments} for call in calls)
    return "\n".join(f"{BEGIN}\n{json_text(one)}\n{END}" for one in named)


def _results(results: Sequence[Turn]) -> str:
    return "\n".join(f"<tool_response>\n{result.content}\n</tool_response>" for result in results)


def read_tagged(text: str, _tools: Sequence[Tool] = ()) -> Parsed:
    """An answer with calls as JSON objects between tags. An object that is complete may lack its end tag; the tags
    within its strings are no tags."""
    said, calls, problems, place = list[str](), list[ToolCall](), list[str](), 0
    while (begin := text.find(BEGIN, place)) >= 0:
        said.append(text[place:begin])
        try:
            value, end = value_at(text, begin + len(BEGIN))
            call = call_of(value)
            closed = re.compile(rf"\s*({END}|\Z)").match(text, end)
            if isinstance(call, ToolCall) and not closed:
                call = f"the call of {call.name} goes on behind its JSON with {text[end : end + 40]!r}"
        except NoJsonError as error:
            call, closed = f"a call is not read: {error}", None
        if isinstance(call, str):
            problems.append(call)
        else:
            calls.append(call)
        if closed:
            place = closed.end()
        else:
            behind = text.find(END, begin)
            place = behind + len(END) if behind >= 0 else len(text)
    said.append(text[place:])
    return Parsed("\n".join(part for one in said if (part := one.strip())), tuple(calls), tuple(problems))


HERMES = AgentTemplate(
    name="hermes",
    introduced=_introduced,
    written=_written,
    results=_results,
    read=read_tagged,
    source="the chat template of Qwen2.5",
)
