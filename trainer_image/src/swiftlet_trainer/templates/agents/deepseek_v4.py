"""DeepSeek V4: invocations whose parameters say whether they are strings, results in the turn of the user."""

import re
from collections.abc import Sequence
from typing import Any

from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.template import AgentTemplate, Parsed, function_of, json_text

DSML = "｜DSML｜"
TOOLS = """## Tools

You have access to a set of tools to help answer the user's question. You can invoke tools by writing a \
"<｜DSML｜tool_calls>" block like the following:

<｜DSML｜tool_calls>
<｜DSML｜invoke name="$TOOL_NAME">
<｜DSML｜parameter name="$PARAMETER_NAME" string="true|false">$PARAMETER_VALUE</｜DSML｜parameter>
...
</｜DSML｜invoke>
<｜DSML｜invoke name="$TOOL_NAME2">
...
</｜DSML｜invoke>
</｜DSML｜tool_calls>

String parameters should be specified as is and set `string="true"`. For all other types (numbers, booleans, arrays, \
objects), pass the value in JSON format and set `string="false"`.

If thinking_mode is enabled (triggered by <think>), you MUST output your complete reasoning inside <think>...</think> \
BEFORE any tool calls or final response.

Otherwise, output directly after </think> with tool calls or final response.

### Available Tool Schemas

{tools}

You MUST strictly follow the above defined tool name and parameter schemas to invoke tool calls.
"""
OPENS, CLOSES = f"<{DSML}tool_calls>", f"</{DSML}tool_calls>"
HEAD = re.compile(rf'<{DSML}invoke\s+name="(?P<name>[^"]+)">')
PARAMETER = re.compile(
    rf'\s*<{DSML}parameter\s+name="(?P<name>[^"]*)"\s+string="(?P<string>true|false)">(?P<value>.*?)</{DSML}parameter>',
    re.DOTALL,
)
END = re.compile(rf"\s*</{DSML}invoke>")


def _introduced(tools: Sequence[Tool], system: str) -> str:
    listed = "\n".join(json_text(function_of(tool)) for tool in tools)
    return (f"{system}\n\n" if system else "") + TOOLS.format(tools=listed)


def _written(calls: Sequence[ToolCall]) -> str:
    each = (
        f'<{DSML}invoke name="{call.name}">\n{chr(10).join(_parameter(*one) for one in call.arguments.items())}\n'
        f"</{DSML}invoke>"
        for call in calls
    )
    return f"\n\n{OPENS}\n{chr(10).join(each)}\n{CLOSES}"


def _parameter(name: str, value: Any) -> str:
    is_string = isinstance(value, str)
    text = value if is_string else json_text(value)
    return f'<{DSML}parameter name="{name}" string="{"true" if is_string else "false"}">{text}</{DSML}parameter>'


def _results(results: Sequence[Turn]) -> str:
    return "\n\n".join(f"<tool_result>{one.content}</tool_result>" for one in results)


def _read(text: str, _tools: Sequence[Tool] = ()) -> Parsed:
    said, calls, problems, place = list[str](), list[ToolCall](), list[str](), 0
    while found := HEAD.search(text, place):
        said.append(text[place : found.start()])
        name, place, arguments, wrong = found["name"], found.end(), dict[str, Any](), ""
        while given := PARAMETER.match(text, place):
            place = given.end()
            try:
                arguments[given["name"]] = given["value"] if given["string"] == "true" else decoded(given["value"])
            except JsonValueError as error:
                wrong = wrong or f"the call of {name} has a {given['name']} that is no JSON: {error}"
        closed = END.match(text, place)
        if closed and not wrong:
            calls.append(ToolCall(name, arguments))
        else:
            problems.append(wrong or f"the call of {name} is not closed: {text[place : place + 40]!r}")
        following = closed or END.search(text, place)
        place = following.end() if following else len(text)
    said.append(text[place:])
    return Parsed("\n".join(part for one in said if (part := _bare(one))), tuple(calls), tuple(problems))


def _bare(text: str) -> str:
    """What is said in a text beside calls."""
    return text.strip().removeprefix(CLOSES).removesuffix(OPENS).strip()


DEEPSEEK_V4 = AgentTemplate(
    name="deepseek_v4",
    introduced=_introduced,
    written=_written,
    results=_results,
    read=_read,
    source="DeepSeek's encoding of V4, as vLLM has it, and SWIFT's deepseek_v4",
    between="",
    tokens=(DSML,),
    limits="a string has no escapes, so that none may hold the end tag of a parameter, nor a name quotes",
)
