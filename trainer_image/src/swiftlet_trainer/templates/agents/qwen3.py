"""Qwen3-Coder and Qwen3.5: arguments between tags of their own, results in a turn of the user."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.tagged import Tagged
from swiftlet_trainer.templates.agents.template import AgentTemplate, function_of, json_text
from swiftlet_trainer.templates.agents.typed import LIMITS

TAGGED = Tagged(
    call=("<tool_call>\n<function=", ">\n"),
    argument=("<parameter=", ">\n"),
    end="\n</parameter>\n",
    call_end="</function>\n</tool_call>",
)
CODER = "You are Qwen, a helpful AI assistant that can interact with a computer to solve tasks."
HEAD = "# Tools\n\nYou have access to the following functions:\n\n<tools>\n"
FORM = """
</tools>

If you choose to call a function ONLY reply in the following format with NO suffix:

<tool_call>
<function=example_function_name>
<parameter=example_parameter_1>
value_1
</parameter>
<parameter=example_parameter_2>
This is the value for the second parameter
that can span
multiple lines
</parameter>
</function>
</tool_call>

<IMPORTANT>
Reminder:
- Function calls MUST follow the specified format: an inner <function=...></function> block must be nested within \
<tool_call></tool_call> XML tags
- Required parameters MUST be specified
- You may provide optional reasoning for your function call in natural language BEFORE the function call, but NOT after
- If there is no function call available, answer the question like normal with your current knowledge and do not tell \
the user about function calls
</IMPORTANT>"""


def _coder(tools: Sequence[Tool], system: str) -> str:
    listed = "\n".join("\n".join(_lines(function_of(tool))) for tool in tools)
    return f"{system or CODER}\n\n{HEAD}{listed}{FORM}"


def _lines(function: Mapping[str, Any]) -> Iterator[str]:
    """A function as tags, line by line."""
    yield f"<function>\n<name>{function['name']}</name>"
    if function.get("description") is not None:
        yield f"<description>{function['description'].strip()}</description>"
    yield "<parameters>"
    parameters = function.get("parameters") or {}
    for name, fields in (parameters.get("properties") or {}).items():
        yield f"<parameter>\n<name>{name}</name>"
        if "type" in fields:
            yield f"<type>{fields['type']}</type>"
        if "description" in fields:
            yield f"<description>{fields['description'].strip()}</description>"
        yield from _others(fields, ("name", "type", "description"))
        yield "</parameter>"
    yield from _others(parameters, ("type", "properties"))
    yield "</parameters>"
    yield from _others(function, ("type", "name", "description", "parameters"))
    yield "</function>"


def _others(held: Mapping[str, Any], said: Sequence[str]) -> Iterator[str]:
    return (f"<{name}>{json_text(value)}</{name}>" for name, value in held.items() if name not in said)


def _qwen3_5(tools: Sequence[Tool], system: str) -> str:
    behind = f"\n\n{system.strip()}" if system.strip() else ""
    return HEAD + "\n".join(json_text(tool) for tool in tools) + FORM + behind


def _coder_results(results: Sequence[Turn]) -> str:
    return "".join(f"<tool_response>\n{one.content}\n</tool_response>\n" for one in results)


def _results(results: Sequence[Turn]) -> str:
    return "\n".join(f"<tool_response>\n{one.content}\n</tool_response>" for one in results)


QWEN3 = (
    AgentTemplate(
        name="qwen3_coder",
        introduced=_coder,
        written=TAGGED.written,
        results=_coder_results,
        read=TAGGED.read,
        source="SWIFT's qwen3_coder",
        between="\n\n",
        limits=LIMITS,
    ),
    AgentTemplate(
        name="qwen3_5",
        introduced=_qwen3_5,
        written=TAGGED.written,
        results=_results,
        read=TAGGED.read,
        source="the chat template of Qwen3.5",
        between="\n\n",
        limits=LIMITS,
    ),
)
