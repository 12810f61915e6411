"""The rules of a schema evaluated on a document, from the same CEL text that the CRDs carry."""

import importlib.machinery
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from swiftlet.api.schema.problems import Location
from swiftlet.api.v1alpha1.compute import exact_quantity


def _compared(one: str, other: str) -> int:
    first, second = exact_quantity(one), exact_quantity(other)
    return (first > second) - (first < second)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "quantity": str,
    "compareTo": _compared,
    "sum": sum,
    "split": str.split,
}
"""Functions of Kubernetes' CEL libraries (quantity, lists, strings) that the rules use and the local library lacks; a
method's first argument is its object. Source: Kubernetes documentation, "Common Expression Language in Kubernetes"."""


@dataclass(frozen=True)
class Broken:
    """A rule that does not hold, or that could not be evaluated."""

    location: Location
    """Of the object that carries the rule."""
    field: str
    """Field of that object to blame; empty for the object itself."""
    message: str
    error: bool = False
    """The rule could not be evaluated, because the object is not what the schema says."""


def broken_rules(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Broken]:
    """The rules that a defaulted document breaks by itself."""
    return _walk(document, None, schema, (), transition=False)


def broken_transitions(old: Mapping[str, Any], new: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Broken]:
    """The transition rules that an update breaks; both documents defaulted.

    As in the API server, items of a list have no old self: a transition rule holds above lists only.
    """
    return _walk(new, old, schema, (), transition=True)


def _walk(value: Any, old: Any, schema: Mapping[str, Any], at: Location, transition: bool) -> Iterator[Broken]:
    for rule in schema.get("x-kubernetes-validations", ()):
        if ("oldSelf" in rule["rule"]) == transition and not (transition and old is None):
            yield from _broken(rule, value, old, at)
    if isinstance(value, dict):
        properties, other = schema.get("properties", {}), schema.get("additionalProperties")
        for key, item in value.items():
            part = properties.get(key, other)
            if part:
                before = old.get(key) if isinstance(old, dict) else None
                yield from _walk(item, before, part, (*at, key), transition)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _walk(item, None, schema["items"], (*at, index), transition)


def _broken(rule: Mapping[str, str], value: Any, old: Any, at: Location) -> Iterator[Broken]:
    field = rule.get("fieldPath", "").removeprefix(".")
    try:
        known = {"self": value} if old is None else {"self": value, "oldSelf": old}
        context = _library().Context(known, FUNCTIONS)
        holds = _program(rule["rule"]).execute(context)
        told = rule.get("messageExpression")
        message = _program(told).execute(context) if told and holds is not True else rule["message"]
    except Exception as error:  # the library raises KeyError, TypeError, ValueError and RuntimeError
        yield Broken(at, field, f"the rule {rule['rule']!r} cannot be evaluated: {error}", error=True)
        return
    if holds is not True:
        yield Broken(at, field, message)


@cache
def _program(text: str) -> Any:
    return _library().compile(text)


@cache
def _library() -> ModuleType:
    """The compiled module alone: the package around it imports a command line of its own, which takes half a second."""
    package = importlib.util.find_spec("cel")
    if package is None or package.submodule_search_locations is None:
        raise ImportError("the package common-expression-language is missing; install swiftlet with its dependencies")
    spec = importlib.machinery.PathFinder.find_spec("cel.cel", package.submodule_search_locations)
    if spec is None or spec.loader is None:
        raise ImportError("common-expression-language holds no compiled module cel.cel; install it again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
