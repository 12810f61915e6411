"""Whether calls are those that are due, by the rule of the Berkeley Function Calling Leaderboard (BFCL).

A turn is right or wrong as a whole: as many calls as are due, in any order, each of the right tool with every required
argument, none that the tool does not know, and values of the right type among those that count as right. Where no call
is due, none may be made. Source: Patil et al. 2025, "The Berkeley Function Calling Leaderboard (BFCL): From Tool Use to
Agentic Evaluation of Large Language Models", section 3 (AST evaluation), for Python.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

from swiftlet_trainer.evaluate.agents.steps import Call

OPTIONAL = ""
"""Among the values of an argument: it may be left out."""
TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("string", "any"), (str,)),
    "integer": (int,),
    **dict.fromkeys(("number", "float"), (int, float)),
    "boolean": (bool,),
    **dict.fromkeys(("array", "tuple"), (list,)),
    **dict.fromkeys(("object", "dict"), (dict,)),
    "null": (NoneType,),
}
"""Types of JSON schemas and BFCL's own names of them. A whole number is also a number, a truth value is neither."""
IGNORED = re.compile(r"[ ,./\-_*^]")
"""Characters that texts may differ in: `April 1, 2024` is `april 1 2024`."""


@dataclass(frozen=True)
class Due:
    """A call that is due. values: of each argument, those that count as right, and OPTIONAL. Of an object, each key's;
    of a list of objects, the same for each of them."""

    name: str
    values: Mapping[str, Sequence[Any]]


def due(name: str, arguments: Mapping[str, Any]) -> Due:
    """A call with one right value for each argument."""
    return Due(name, {key: [_alone(value)] for key, value in arguments.items()})


def calls_problem(calls: Sequence[Call], expected: Sequence[Due], tools: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Why `calls` are not those that are due, None when they are. tools: JSON schemas of arguments, by name.

    Calls are taken out one by one as they match, in the order of what is due, as BFCL does.
    """
    if len(calls) != len(expected):
        return f"{len(calls)} calls, {len(expected)} are due"
    left = list(calls)
    for wanted in expected:
        problems = [_call_problem(call, wanted, tools.get(wanted.name, {})) for call in left]
        if None not in problems:
            return problems[0] if len(expected) == 1 else f"no call is the {wanted.name} that is due"
        del left[problems.index(None)]
    return None


def _call_problem(call: Call, wanted: Due, schema: Mapping[str, Any]) -> str | None:
    if call.name != wanted.name:
        return f"calls {call.name}, {wanted.name} is due"
    if not isinstance(call.arguments, Mapping):
        return f"{call.name}: the arguments are no JSON object"
    known: Mapping[str, Any] = schema.get("properties") or {}
    required = [name for name in schema.get("required") or () if name not in call.arguments]
    missing = [name for name, values in wanted.values.items() if name not in call.arguments and OPTIONAL not in values]
    if required or missing:
        return f"{call.name}: {', '.join(dict.fromkeys([*required, *missing]))} is missing"
    for name, value in call.arguments.items():
        if name not in known or name not in wanted.values:
            return f"{call.name}: {name} is not {'asked for' if name in known else 'an argument of it'}"
        if not _is_right(value, wanted.values[name], known[name]):
            return f"{call.name}: {name} is {value!r}"
    return None


def _is_right(value: Any, values: Sequence[Any], schema: Mapping[str, Any]) -> bool:
    """Whether `value` has a type that the schema or the right values have, and is among these."""
    kinds = _types(schema)
    right = [one for one in values if one != OPTIONAL or type(value) is str]
    named = next((type(one) for one in values if one != OPTIONAL), None)
    if type(value) not in (kinds or (type(value),)) and type(value) is not named:
        return False
    if isinstance(value, list):
        items = _types(schema.get("items") or {})
        return any(isinstance(one, list) and _same_list(value, one, items) for one in right)
    if isinstance(value, dict):
        return any(isinstance(one, dict) and _same_object(value, one) for one in right)
    if isinstance(value, str) and str in kinds and named in (None, str):
        return _plain(value) in map(_plain, right)
    return value in right


def _same_list(value: Sequence[Any], right: Sequence[Any], items: tuple[type, ...]) -> bool:
    if len(value) != len(right):
        return False
    if items == (dict,):
        pairs = zip(value, right, strict=True)
        return all(
            isinstance(one, dict) and isinstance(other, dict) and _same_object(one, other) for one, other in pairs
        )
    named = next((type(one) for one in right if one != OPTIONAL), None)
    if items and any(type(one) not in items and type(one) is not named for one in value):
        return False
    return [_plain(one) for one in value] == [_plain(one) for one in right]


def _same_object(value: Mapping[str, Any], right: Mapping[str, Sequence[Any]]) -> bool:
    return all(name in right and _plain(one) in map(_plain, right[name]) for name, one in value.items()) and all(
        name in value or OPTIONAL in values for name, values in right.items()
    )


def _types(schema: Mapping[str, Any]) -> tuple[type, ...]:
    """Those that a schema allows, () when it does not say."""
    said = schema.get("type")
    return tuple(kind for name in (said if isinstance(said, list) else [said]) for kind in TYPES.get(str(name), ()))


def _plain(value: Any) -> Any:
    """A text without what texts may differ in; anything else as it is."""
    return IGNORED.sub("", value).lower().replace("'", '"') if isinstance(value, str) else value


def _alone(value: Any) -> Any:
    """A value as the only right one: objects have a list of values for each key."""
    if isinstance(value, dict):
        return {key: [one] for key, one in value.items()}
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return [_alone(one) for one in value]
    return value
