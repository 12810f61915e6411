"""Values of arguments in formats that write them without their types: strings as they are, all else as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from swiftlet_trainer.data.json_values import JsonValueError, decoded
from swiftlet_trainer.data.tools import Tool
from swiftlet_trainer.templates.agents.template import function_of, json_text

LIMITS = (
    "values have no types and no escapes: a string that reads as another value needs type string in the tool's schema, "
    "and none may hold the format's end tags"
)
KINDS: Mapping[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}
"""What JSON of a type of JSON Schema is in Python; bool is checked apart from int."""


def value_text(value: Any) -> str:
    """A value as such formats write it."""
    return value if isinstance(value, str) else json_text(value)


def typed(text: str, schema: Any) -> Any:
    """The value that a text is by its schema: of a type that the schema names, else of any when it names none, and the
    text itself where it is none of them."""
    wanted = _types(schema)
    if wanted == {"string"}:
        return text
    try:
        value = decoded(text)
    except JsonValueError:
        return text
    if isinstance(value, str):
        return text
    return value if not wanted or any(_is(value, name) for name in wanted) else text


def schemas(tools: Sequence[Tool], name: str) -> Mapping[str, Any]:
    """Schemas of the arguments of a tool, by name; empty for a tool that is not there."""
    tool = next((function for one in tools if (function := function_of(one))["name"] == name), {})
    properties = (tool.get("parameters") or {}).get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _types(schema: Any) -> set[str]:
    if not isinstance(schema, Mapping):
        return set()
    named = schema.get("type")
    found = {named} if isinstance(named, str) else set(named or ())
    for union in ("anyOf", "oneOf"):
        found |= {name for one in schema.get(union) or () for name in _types(one)}
    if not found and isinstance(schema.get("enum"), list) and all(isinstance(one, str) for one in schema["enum"]):
        return {"string"}
    return found


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, KINDS.get(name, ()))
