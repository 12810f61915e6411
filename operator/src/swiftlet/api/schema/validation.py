"""Validation of documents: the schema, and the rules that the CRDs carry, all problems at once."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from swiftlet.api import API_VERSION, KINDS
from swiftlet.api.base import NAME_PATTERN
from swiftlet.api.names import PATTERNS
from swiftlet.api.schema.cel import Broken, broken_rules, broken_transitions
from swiftlet.api.schema.defaulting import defaulted
from swiftlet.api.schema.metadata import metadata_problems
from swiftlet.api.schema.problems import Location, Problem, Source, field_path, shown
from swiftlet.api.schema.structural import Schema, structural_schema
from swiftlet.api.v1alpha1.compute import QUANTITY_PATTERN
from swiftlet.api.v1alpha1.uris import DATA_FORMS, DATA_URI_PATTERN, MODEL_FORMS, MODEL_URI_PATTERN

__all__ = ["defaulted", "nearest", "validate", "validate_update"]

METADATA_FIELDS = frozenset(
    (
        *("name", "generateName", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "uid"),
        *("resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"),
        *("managedFields", "selfLink"),
    )
)
"""Fields of metav1.ObjectMeta."""

_LABEL_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_PATTERNS = {
    QUANTITY_PATTERN: ("is not a quantity", "write one such as 500m, 2 or 8Gi"),
    NAME_PATTERN: ("is not a name", "use lower-case letters, digits and -: a letter first, a letter or digit last"),
    _LABEL_PATTERN: ("is not a name", "use lower-case letters, digits and -, with a letter or digit at both ends"),
    **PATTERNS,
    DATA_URI_PATTERN: ("is not a data source", f"write {DATA_FORMS}"),
    MODEL_URI_PATTERN: ("is not a model", f"write {MODEL_FORMS}"),
}
_WANTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_GIVEN = {str: "a string", bool: "a boolean", int: "an integer", float: "a number", list: "a list", dict: "an object"}


def validate(document: Mapping[str, Any], source: Source | None = None) -> list[Problem]:
    """Problems of one document of our kinds by its schema and its rules, ordered by line.

    The document is as its author wrote it: defaults are filled in first, as the API server does.
    """
    schema = structural_schema(document["kind"])
    full = defaulted(document)
    origin = source or _origin(document)
    by_location = [_schema_problem(error, schema, origin) for error in _schema_errors(full)]
    by_location += _metadata_problems(full, origin)
    wrong = [(location, problem.rule) for location, problem in by_location]
    for broken in broken_rules(full, schema):
        if not _follows(broken, wrong):
            by_location.append(_rule_problem(broken, full, origin))
    return sorted((problem for _, problem in by_location), key=lambda problem: problem.line or 0)


def validate_update(old: Mapping[str, Any], new: Mapping[str, Any], source: Source | None = None) -> list[Problem]:
    """Problems of replacing `old` by `new`: each field that changed although it is immutable, with both values."""
    before, after, schema = defaulted(old), defaulted(new), structural_schema(new["kind"])
    origin = source or _origin(new)
    problems: list[Problem] = []
    for broken in broken_transitions(before, after, schema):
        at = _blamed(broken)
        remedy = broken.message.partition(": ")[2]
        verdict = "is immutable" if "immutable" in broken.message else "cannot be changed now"
        changes = _changes(_value(before, at), _value(after, at), at)
        for where, was, now in changes:
            rule = f"{verdict} (it was {shown(was) if was is not None else 'absent'})"
            value = shown(now) if now is not None else "absent:"
            problems.append(Problem(origin.file, origin.line(where), field_path(where), value, rule, remedy))
        if not changes:
            problems.append(Problem(origin.file, origin.line(at), field_path(at), None, broken.message))
    return problems


def nearest(name: str, choices: Sequence[str]) -> str | None:
    """The choice that `name` was most likely meant to be; None when none is close."""
    folded = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(name.lower(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def _origin(document: Mapping[str, Any]) -> Source:
    return Source(f"{document['kind']}/{(document.get('metadata') or {}).get('name', '')}")


def _schema_errors(document: Mapping[str, Any]) -> list[ErrorDetails]:
    """Strict, by JSON: a string is never taken for a number, nor the other way round, as in the API server."""
    try:
        KINDS[document["kind"]].model_validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        return error.errors(include_url=False, include_context=True)
    return []


def _schema_problem(error: ErrorDetails, schema: Schema, source: Source) -> tuple[Location, Problem]:
    location = tuple(step for step in error["loc"] if step != "[key]")
    value: str | None = shown(error["input"])
    match error["type"]:
        case "extra_forbidden":
            rule, value = "unknown field", None
            remedy = _known(str(location[-1]), _at(schema, location[:-1]))
        case "missing":
            rule, value, remedy = "is required", None, _at(schema, location).get("description", "").rstrip(".")
            remedy = f"set it: {remedy}" if remedy else "set it"
        case "literal_error":
            allowed = [str(choice) for choice in _at(schema, location).get("enum", [])]
            rule, remedy = f"must be one of {', '.join(allowed)}", _meant(str(error["input"]), allowed)
        case "string_pattern_mismatch":
            pattern = error.get("ctx", {}).get("pattern", "")
            rule, remedy = _PATTERNS.get(pattern, (f"must match {pattern}", ""))
            if location == ("apiVersion",):
                rule, remedy = f"must be {API_VERSION}", ""
        case kind if kind in _WANTED:
            rule = f"must be {_WANTED[kind]}, not {_GIVEN.get(type(error['input']), 'null')}"
            remedy = _retyped(kind, error["input"])
        case _:
            said = error["msg"].replace(" after validation", "")
            rule, remedy = "must " + said.partition(" should ")[2] if " should " in said else said, ""
    return location, Problem(source.file, source.line(location), field_path(location), value, rule, remedy)


def _known(name: str, schema: Mapping[str, Any]) -> str:
    fields = list(schema.get("properties", {}))
    return _meant(name, fields) or (
        f"the fields here are {', '.join(fields)}" if fields else "there are no fields here"
    )


def _meant(name: str, choices: Sequence[str]) -> str:
    found = nearest(name, choices)
    return f"did you mean {found}?" if found else ""


def _retyped(wanted: str, value: Any) -> str:
    """What to write instead of a value of the wrong type."""
    if wanted == "string_type" and isinstance(value, bool):
        return "put it in quotes: YAML reads words such as on, off, yes and no as booleans"
    if wanted == "string_type" and isinstance(value, int | float):
        return f'put it in quotes: "{value}"'
    if isinstance(value, str) and wanted in ("int_type", "float_type", "bool_type"):
        return "take the quotes away" if _is_number(value) or value in ("true", "false") else ""
    if wanted == "list_type":
        return (
            f"write it as a list: [{value}]" if isinstance(value, str | int | float) else "write each item after a `-`"
        )
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _metadata_problems(document: Mapping[str, Any], source: Source) -> Iterator[tuple[Location, Problem]]:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        return
    for key in metadata:
        if key not in METADATA_FIELDS:
            at = ("metadata", key)
            remedy = _meant(key, sorted(METADATA_FIELDS)) or "metadata holds name, namespace, labels and annotations"
            yield at, Problem(source.file, source.line(at), field_path(at), None, "unknown field", remedy)
    yield from metadata_problems(metadata, source)


def _follows(broken: Broken, wrong: Sequence[tuple[Location, str]]) -> bool:
    """A broken rule that is only the consequence of a schema problem which is reported already."""
    if broken.error and wrong:
        return True
    blamed = _blamed(broken)
    if broken.field:
        return any(location[: len(blamed)] == blamed for location, _ in wrong)
    return any(location[:-1] == blamed and rule in ("unknown field", "is required") for location, rule in wrong)


def _blamed(broken: Broken) -> Location:
    return (*broken.location, *(broken.field.split(".") if broken.field else ()))


def _rule_problem(broken: Broken, document: Mapping[str, Any], source: Source) -> tuple[Location, Problem]:
    at = _blamed(broken)
    value = _value(document, at)
    said = shown(value) if isinstance(value, str | int | float | bool) else None
    rule = broken.message.removeprefix(f"{broken.field} ") if said is not None else broken.message
    return at, Problem(source.file, source.line(at), field_path(at), said, rule)


def _at(schema: Mapping[str, Any], location: Location) -> Mapping[str, Any]:
    """The schema of a field; empty where the schema does not know it."""
    node = schema
    for step in location:
        part = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
        node = part or node.get("additionalProperties") or {}
    return node


def _value(document: Any, location: Location) -> Any:
    for step in location:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _changes(old: Any, new: Any, at: Location) -> list[tuple[Location, Any, Any]]:
    """The smallest fields that differ, with old and new value."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = list(dict.fromkeys([*new, *old]))
        return [change for key in keys for change in _changes(old.get(key), new.get(key), (*at, key))]
    if isinstance(old, list) and isinstance(new, list):
        pairs = enumerate(zip_longest(old, new))
        return [change for index, (was, now) in pairs for change in _changes(was, now, (*at, index))]
    return [] if old == new else [(at, old, new)]
