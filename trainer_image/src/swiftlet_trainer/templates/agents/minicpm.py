"""MiniCPM5: functions with parameters as XML, texts of several lines in CDATA."""

import re
from collections.abc import Sequence

from swiftlet_trainer.data.tools import Tool, ToolCall
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.template import AgentTemplate, Parsed, json_text
from swiftlet_trainer.templates.agents.typed import LIMITS, schemas, typed, value_text

TOOLS = """# Tools

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{tools}
</tools>

Tool usage guidelines:
- You may call zero or more functions. If no function calls are needed, just answer normally and do not include any \
<function ... </function>.
- When calling a function, return an XML object within <function ... </function> using:
<function name="function-name"><param name="param-name">param-value</param></function>
- param-value may be multi-line. If it contains <, & or newline characters, wrap it in a CDATA block: \
<param name="param-name"><![CDATA[...multi-line value...]]></param>"""
HEAD = re.compile(r'<function\s+name="(?P<name>[^"]+)">')
PARAM = re.compile(
    r'\s*<param\s+name="(?P<name>[^"]*)">(?:<!\[CDATA\[(?P<long>.*?)\]\]>|(?P<short>[^<]*))</param>', re.DOTALL
)
END = re.compile(r"\s*</function>")


def _introduced(tools: Sequence[Tool], system: str) -> str:
    return (f"{system}\n\n" if system else "") + TOOLS.format(tools="\n".join(map(json_text, tools)))


def _written(calls: Sequence[ToolCall]) -> str:
    return "\n".join(
        f'<function name="{call.name}">'
        + "".join(f'<param name="{name}">{_value(value_text(one))}</param>' for name, one in call.arguments.items())
        + "</function>"
        for call in calls
    )


def _value(text: str) -> str:
    return f"<![CDATA[{text}]]>" if any(char in text for char in "<&\n") else text


def _results(results: Sequence[Turn]) -> str:
    return "\n".join(f"<tool_response>\n{one.content}\n</tool_response>" for one in results)


def _read(text: str, tools: Sequence[Tool] = ()) -> Parsed:
    said, calls, problems, place = list[str](), list[ToolCall](), list[str](), 0
    while found := HEAD.search(text, place):
        said.append(text[place : found.start()])
        known, place, arguments = schemas(tools, found["name"]), found.end(), {}
        while given := PARAM.match(text, place):
            value = given["short"] if given["long"] is None else given["long"]
            arguments[given["name"]] = typed(value, known.get(given["name"]))
            place = given.end()
        if closed := END.match(text, place):
            place = closed.end()
            calls.append(ToolCall(found["name"], arguments))
            continue
        problems.append(f"the call of {found['name']} is not closed: {text[place : place + 40]!r}")
        following = END.search(text, place)
        place = following.end() if following else len(text)
    said.append(text[place:])
    return Parsed("\n".join(part for one in said if (part := one.strip())), tuple(calls), tuple(problems))


MINICPM = AgentTemplate(
    name="minicpm5",
    introduced=_introduced,
    written=_written,
    results=_results,
    read=_read,
    source="SWIFT's minicpm5",
    limits=LIMITS,
)
