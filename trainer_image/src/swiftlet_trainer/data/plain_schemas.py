"""Arguments of tools as xLAM's data describes them, which is no JSON schema: for each argument its type as Python
writes it, what it is for, and what it is by default."""

import re
from collections.abc import Mapping
from typing import Any

TYPES = {
    **dict.fromkeys(("str", "string"), "string"),
    **dict.fromkeys(("int", "integer"), "integer"),
    **dict.fromkeys(("float", "number"), "number"),
    **dict.fromkeys(("bool", "boolean"), "boolean"),
    **dict.fromkeys(("list", "set", "tuple", "array", "List", "Set", "Tuple"), "array"),
    **dict.fromkeys(("dict", "object", "Dict"), "object"),
}
"""Types of JSON by the names that Python has for them. Others stay as they are."""
HEAD = re.compile(r"\w+")
OPTIONAL = re.compile(r",\s*optional\b.*\Z", re.DOTALL)


def is_plain(parameters: Mapping[str, Any]) -> bool:
    """Whether they are arguments by their names, and no schema of an object that has them."""
    return (
        bool(parameters)
        and not isinstance(parameters.get("properties"), Mapping)
        and all(isinstance(one, Mapping) for one in parameters.values())
    )


def schema_of(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The JSON schema of an object of these arguments. Those that are said to be optional need not be given."""
    properties = {name: _property(one) for name, one in parameters.items()}
    required = [name for name, one in parameters.items() if not OPTIONAL.search(str(one.get("type", "")))]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _property(described: Mapping[str, Any]) -> dict[str, Any]:
    said = described.get("type")
    if not isinstance(said, str):
        return dict(described)
    kind = OPTIONAL.sub("", said)
    head = HEAD.match(kind)
    return {**described, "type": TYPES.get(head[0], kind) if head else kind}
