"""Seed-OSS: tools as Python functions, calls with parameters between tags, results in a turn of the tool."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.templates.agents.tagged import Tagged
from swiftlet_trainer.templates.agents.template import AgentTemplate, function_of
from swiftlet_trainer.templates.agents.typed import LIMITS

BEGIN, END = "<seed:bos>", "<seed:eos>"
TAGGED = Tagged(
    call=("<seed:tool_call>\n<function=", ">\n"),
    argument=("<parameter=", ">"),
    end="</parameter>\n",
    call_end="</function>\n</seed:tool_call>",
)
TYPES = {"string": "str", "number": "int", "integer": "int", "boolean": "bool", "array": "list"}
"""As the format has them, numbers included."""
HEAD = "You are Doubao, a helpful AI assistant. You may call one or more functions to assist with the user query."
FORM = """工具调用请遵循如下格式:
<seed:tool_call>
<function=example_function_name>
<parameter=example_parameter_1>value_1</parameter>
<parameter=example_parameter_2>This is the value for the second parameter
that can span
multiple lines</parameter>
</function>
</seed:tool_call>
"""


def _introduced(tools: Sequence[Tool], system: str) -> str:
    listed = "\n\n".join("\n".join(_lines(function_of(tool))) for tool in tools)
    return f"{HEAD}\n\n{listed}\n{FORM}{END}{BEGIN}system\n{system}"


def _lines(function: Mapping[str, Any]) -> Iterator[str]:
    """A function as Python, line by line."""
    parameters = function.get("parameters") or {}
    fields = {name: one for name, one in (parameters.get("properties") or {}).items() if isinstance(one, Mapping)}
    yield "Function:"
    yield f"def {function['name']}({','.join(f'{name}: {_type(one)}' for name, one in fields.items())}):"
    yield '    """'
    yield f"    {(function.get('description') or '').strip()}"
    if fields:
        yield "\n    Args:"
    for name, one in fields.items():
        needed = "[必填]" if name in (parameters.get("required") or ()) else "[选填]"
        yield f"    - {name} ({_type(one)}) {needed}: {one.get('description', '')}"
    returned = (function.get("returns") or {}).get("properties") or {}
    if returned:
        yield "\n    Returns:"
    for name, one in returned.items():
        yield f"    - {name} ({_type(one)}): {one.get('description', '')}"
    yield '\n    """'


def _type(schema: Mapping[str, Any]) -> str:
    named = schema.get("type")
    return TYPES.get(named, "Any") if isinstance(named, str) else "Any"


def _results(results: Sequence[Turn]) -> str:
    each = "".join(f"{BEGIN}tool\n{one.content}{END}" for one in results)
    return f"{each}{BEGIN}assistant\n"


SEED = AgentTemplate(
    name="seed_oss",
    introduced=_introduced,
    written=TAGGED.written,
    results=_results,
    read=TAGGED.read,
    source="SWIFT's seed_oss",
    results_in="assistant",
    ends=END,
    tokens=(BEGIN, END),
    limits=LIMITS,
)
