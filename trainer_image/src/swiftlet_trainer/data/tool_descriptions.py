"""Tools as published data describes them: by OpenAI, Anthropic, MCP and xLAM, as objects or as JSON text."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.keys import RowError, is_absent, is_empty
from swiftlet_trainer.data.plain_schemas import is_plain, schema_of
from swiftlet_trainer.data.shown import shown
from swiftlet_trainer.data.tools import Tool

SCHEMAS = ("parameters", "input_schema", "inputSchema")
"""Names of a tool's schema: OpenAI's, Anthropic's, MCP's."""
IN_ORDER = ("name", "description", *SCHEMAS)
HARMLESS = ("cache_control",)
KEPT_TEXTS = 1024
"""Texts of tools whose tools are remembered: rows of one data set often have the same."""


def tools_of(value: Any, where: str) -> tuple[Tool, ...]:
    """The tools of a row: a list of them, one, or the JSON text of either; none where there is nothing in it. A tool
    that stands there twice counts once. Raises RowError for what is no tool, or one that is described in two ways."""
    if is_empty(value):
        return ()
    if isinstance(value, str):
        return _of_text(value, where)
    listed = value if isinstance(value, list | tuple) else [value]
    found = [_tool(one, f"{where}[{index}]") for index, one in enumerate(listed)]
    require_json(found, where)
    return _once(found, where)


def require_json(value: Any, where: str) -> None:
    """Raise RowError for what cannot be written as JSON in UTF-8: dates and bytes of tables, NaN, half characters."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise RowError(f"{where} has half of a surrogate pair, which is no text; leave it out") from None
    except (TypeError, ValueError) as error:
        raise RowError(f"{where} cannot be written as JSON: {error}; give texts, numbers, lists and objects") from None


@lru_cache(KEPT_TEXTS)
def _of_text(text: str, where: str) -> tuple[Tool, ...]:
    return tools_of(_json(text, where), where)


def _json(text: str, where: str) -> Any:
    try:
        found = decoded(text)
    except JsonValueError as error:
        raise RowError(f"{where} must be a list of tools as JSON: {error}") from None
    if isinstance(found, str):
        raise RowError(f"{where} is the JSON text of a text; give a list of tools")
    return found


def _tool(value: Any, where: str) -> Tool:
    value = _json(value, where) if isinstance(value, str) else value
    if not isinstance(value, Mapping):
        raise RowError(f"{where} must describe a function, this is {shown(value)}")
    beside, function = {"type": value.get("type")}, value.get("function")
    if is_absent(function):
        function = {key: one for key, one in value.items() if key != "type"}
    else:
        beside = {key: one for key, one in value.items() if key != "function"}
    if not isinstance(function, Mapping) or beside.get("type") not in (None, "function"):
        raise RowError(f"{where} must describe a function, this is {shown(value)}; leave other tools out")
    name = function.get("name")
    if not isinstance(name, str) or not name.strip():
        raise RowError(f"{where} is a tool without a name ({shown(name)}); give it one")
    rest = {key: one for key, one in function.items() if key not in IN_ORDER}
    described = {"name": name, "description": function.get("description"), **_parameters(function, where), **rest}
    return {**_held(beside), "type": "function", "function": _held(described)}


def _held(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in found.items() if not is_absent(one) and key not in HARMLESS}


def _parameters(function: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The schema of a tool's arguments, nothing where it has none."""
    key = next((key for key in SCHEMAS if not is_absent(function.get(key))), None)
    if key is None:
        return {}
    found = _json(function[key], f"{where}.{key}") if isinstance(function[key], str) else function[key]
    if not isinstance(found, Mapping):
        raise RowError(f"{where}.{key} must be a JSON schema, this is {shown(found)}")
    if _is_filled_up(found):
        found = _without_nulls(found)
    return {"parameters": schema_of(found) if is_plain(found) else found}


def _is_filled_up(schema: Any) -> bool:
    """Whether a table has put a null wherever another tool has an argument: no schema of an argument is null."""
    if isinstance(schema, list):
        return any(map(_is_filled_up, schema))
    if not isinstance(schema, Mapping):
        return False
    named = schema.get("properties")
    return (isinstance(named, Mapping) and None in named.values()) or any(map(_is_filled_up, schema.values()))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _once(tools: Sequence[Tool], where: str) -> tuple[Tool, ...]:
    found: dict[str, Tool] = {}
    for index, tool in enumerate(tools):
        name = tool["function"]["name"]
        if found.setdefault(name, tool) != tool:
            raise RowError(f"{where}[{index}] describes {name} otherwise than before; leave one of them out")
    return tuple(found.values())
