"""Calls of tools as published data writes them: by OpenAI, Anthropic, ms-swift, LLaMA-Factory and xLAM, as objects or
as JSON text."""

import re
from collections.abc import Mapping
from typing import Any

from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.keys import RowError, is_absent, is_empty
from swiftlet_trainer.data.shown import shown
from swiftlet_trainer.data.tool_descriptions import require_json
from swiftlet_trainer.data.tools import ToolCall

ARGUMENTS = ("arguments", "parameters", "input", "args")
"""Names of what a tool is called with, the first that has a value being taken."""
IDS = ("id", "call_id")
THOUGHT = re.compile(r"\s*<think>(.*?)</think>\s*", re.DOTALL)
"""Before a call that is a turn's text."""


def calls_of(value: Any, where: str) -> tuple[ToolCall, ...]:
    """Calls: a list of them, one, or the JSON text of either; none where there is nothing in it. Raises RowError for a
    call that names no tool, or whose arguments are no JSON object."""
    if is_empty(value):
        return ()
    if isinstance(value, str):
        value = _json(value, where, "a call of a tool")
    if isinstance(value, list | tuple):
        return tuple(_call(one, f"{where}[{index}]") for index, one in enumerate(value))
    return (_call(value, where),)


def thought_and_calls(content: Any, where: str) -> tuple[str | None, tuple[ToolCall, ...]]:
    """Calls that are all that a turn says, and the thought that may stand before their text."""
    found = THOUGHT.match(content) if isinstance(content, str) else None
    calls = calls_of(content[found.end() :] if found else content, where)
    if not calls:
        raise RowError(f"{where} is {shown(content)}; a call of a tool needs its name and arguments")
    return (found[1].strip() or None) if found else None, calls


def _call(value: Any, where: str) -> ToolCall:
    if isinstance(value, str):
        value = _json(value, where, "a call of a tool")
    function = value.get("function") if isinstance(value, Mapping) else None
    called = value if is_absent(function) else function
    if not isinstance(called, Mapping) or value.get("type") not in (None, "function", "tool_use"):
        raise RowError(f"{where} must be a call of a function, with its name and arguments; this is {shown(value)}")
    name = called.get("name")
    if not isinstance(name, str) or not name.strip():
        raise RowError(f"{where} names no tool ({shown(name)}); say which one is called")
    key = next((key for key in ARGUMENTS if not is_absent(called.get(key))), None)
    arguments = {} if key is None else _arguments(called[key], f"{where}.{key}")
    number = next((value[key] for key in IDS if not is_empty(value.get(key))), None)
    require_json([name, arguments, number], where)
    return ToolCall(name, arguments, None if number is None else str(number))


def _arguments(value: Any, where: str) -> Mapping[str, Any]:
    """By name. Clients write the text of the object; no text is none of them."""
    found = value
    if isinstance(value, str):
        found = _json(value, where, "arguments") if value.strip() else {}
    if not isinstance(found, Mapping):
        raise RowError(f"{where} must be an object, this is {shown(value)}; give each argument by its name")
    return found


def _json(text: str, where: str, what: str) -> Any:
    try:
        return decoded(text)
    except JsonValueError as error:
        raise RowError(f"{where} must be {what} as JSON, this is {shown(text)}: {error}") from None
