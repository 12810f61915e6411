"""Every field of every spec, broken in each way that its schema forbids, and set to each of its bounds.

The cases are derived from the schema, so a new field is covered when it appears. The API server and the local
validation must name the same field, and at a bound neither may.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from swiftlet.api import KINDS
from swiftlet.api.schema.cel import broken_rules
from swiftlet.api.schema.defaulting import defaulted
from swiftlet.api.schema.problems import Location, field_path
from swiftlet.api.schema.structural import structural_schema
from swiftlet.api.schema.validation import validate

Object = dict[str, Any]
Case = tuple[Location, Any]
ABSENT = object()
WRONG_TYPES = {"string": 7, "integer": "7", "number": "7", "boolean": "true", "array": {}, "object": []}


def _fields(schema: Object, at: Location) -> Iterator[tuple[Location, Object]]:
    """Every field below `at`: first items of lists, key `k` of maps."""
    yield at, schema
    for name, part in schema.get("properties", {}).items():
        yield from _fields(part, (*at, name))
    if "items" in schema:
        yield from _fields(schema["items"], (*at, 0))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _fields(schema["additionalProperties"], (*at, "k"))


def _bad(at: Location, schema: Object) -> Iterator[Case]:
    """What the schema forbids: (field that must be named, its value)."""
    type_ = schema.get("type")
    if type_ in WRONG_TYPES:
        yield at, WRONG_TYPES[type_]
    if "enum" in schema:
        yield at, "none-of-these"
    if "pattern" in schema:
        yield at, "\n"
    for name in schema.get("required", ()):
        yield (*at, name), ABSENT
    if "properties" in schema:
        yield (*at, "unheardOf"), 1
    for keyword, length in (("minLength", -1), ("maxLength", 1)):
        if keyword in schema and schema[keyword] + length >= 0:
            yield at, "a" * (schema[keyword] + length)
    yield from _outside(at, schema)


def _outside(at: Location, schema: Object) -> Iterator[Case]:
    step = 1 if schema.get("type") == "integer" else 0.001
    for keyword, direction in (("minimum", -1), ("maximum", 1)):
        if keyword in schema and "x-kubernetes-int-or-string" not in schema:
            exclusive = schema.get(f"exclusive{keyword.capitalize()}", False)
            yield at, schema[keyword] if exclusive else schema[keyword] + direction * step
    if "maxItems" in schema:
        yield at, [_good(schema["items"])] * (schema["maxItems"] + 1)
    if schema.get("minItems"):
        yield at, []
    if "maxProperties" in schema:
        value = _good(schema["additionalProperties"])
        yield at, {f"k{number}": value for number in range(schema["maxProperties"] + 1)}


def _within(at: Location, schema: Object) -> Iterator[Case]:
    """The last values that the schema allows."""
    for keyword in ("minimum", "maximum"):
        if keyword in schema and not schema.get(f"exclusive{keyword.capitalize()}"):
            yield at, schema[keyword]
    for choice in schema.get("enum", ()):
        yield at, choice
    if "maxLength" in schema and "pattern" not in schema:
        yield at, "🐦" * schema["maxLength"]  # both count characters, not bytes
    if "maxItems" in schema:
        yield at, [_good(schema["items"])] * schema["maxItems"]


def _good(schema: Object) -> Any:
    """The least value of a schema that its fields allow; rules across fields are not looked at."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: _good(schema["properties"][name]) for name in schema.get("required", ())}
        case "array":
            return [_good(schema["items"])] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("maximum", 1)
        case "boolean":
            return False
    return "pvc://a/b" if "://" in schema.get("pattern", "") else "1" if "pattern" in schema else "a"


def _with(document: Object, schema: Object, at: Location, value: Any) -> Object:
    """A copy of `document` with one field set (or taken away), and what is missing on the way to it filled in."""
    result = copy.deepcopy(document)
    node, part = result, schema
    for step in at[:-1]:
        part = (
            part["items"]
            if isinstance(step, int)
            else part.get("properties", {}).get(step) or part["additionalProperties"]
        )
        if isinstance(node, list):
            node = node[0]
            continue
        if step not in node or node[step] == []:
            node[step] = [_good(part["items"])] if part.get("type") == "array" else _good(part)
        node = node[step]
    node = node[0] if isinstance(node, list) and at[-1] != 0 else node
    if value is ABSENT:
        node.pop(at[-1], None)
    elif isinstance(node, list):
        node[:] = [value]
    else:
        node[at[-1]] = value
    return result


def _breaks_a_rule(document: Object, schema: Object, field: Location) -> bool:
    """Whether a rule across fields, not the bound, speaks about this field."""
    broken = broken_rules(defaulted(document), schema)
    return any(rule.field and (*rule.location, *rule.field.split(".")) == field for rule in broken)


def _verdicts(
    kind: str, cases: Callable[[Location, Object], Iterator[Case]], base: Any, server: Any
) -> Iterator[tuple[str, Any, bool, bool, str]]:
    """(field, value, named by the API server, named locally, what both said) of every case of a kind's spec."""
    schema = structural_schema(kind)
    for at, part in _fields(schema["properties"]["spec"], ("spec",)):
        for field, value in cases(at, part):
            document = _with(base[kind], schema, field, value)
            if cases is _within and _breaks_a_rule(document, schema, field):
                continue
            answer = server.create(copy.deepcopy(document))
            problems = validate(document)
            path = field_path(field)
            locally = any(problem.field == path for problem in problems)
            shown = "absent" if value is ABSENT else repr(value)[:60]
            yield path, shown, answer.refused and answer.names(path), locally, f"{answer.said[:200]} | {problems[:2]}"


@pytest.mark.parametrize("kind", KINDS)
def test_both_name_each_field_that_breaks_its_schema(kind: str, base: Any, server: Any) -> None:
    found = list(_verdicts(kind, _bad, base, server))
    assert len(found) > 10
    assert [case for case in found if not (case[2] and case[3])] == []


@pytest.mark.parametrize("kind", KINDS)
def test_at_its_bound_neither_complains_about_a_field(kind: str, base: Any, server: Any) -> None:
    found = list(_verdicts(kind, _within, base, server))
    assert len(found) > 5
    assert [case for case in found if case[2] or case[3]] == []
