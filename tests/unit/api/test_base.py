from typing import Any

import pytest
from swiftlet.api.base import immutable, one_of
from swiftlet.api.schema.cel import broken_rules, broken_transitions


def _schema(*rules: Any) -> dict[str, Any]:
    validations = [{"rule": rule.cel, "message": rule.message, "fieldPath": f".{rule.field}"} for rule in rules]
    return {"type": "object", "x-kubernetes-validations": validations}


@pytest.mark.parametrize(
    ("value", "good"), [({}, False), ({"a": 1}, True), ({"b": {}}, True), ({"a": 1, "b": 2}, False), ({"c": 1}, False)]
)
def test_one_of_wants_exactly_one(value: dict[str, Any], good: bool) -> None:
    assert (not list(broken_rules(value, _schema(one_of("a", "b"))))) is good


@pytest.mark.parametrize(("value", "good"), [({}, True), ({"a": 1}, True), ({"a": 1, "b": 2}, False)])
def test_one_of_may_be_optional(value: dict[str, Any], good: bool) -> None:
    assert (not list(broken_rules(value, _schema(one_of("a", "b", required=False))))) is good


@pytest.mark.parametrize(
    ("old", "new", "good"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1.0}, {"a": 1}, True),
        ({"a": {"x": [1]}}, {"a": {"x": [1]}}, True),
        ({"a": {"x": [1]}}, {"a": {"x": [1, 2]}}, False),
        ({"a": 1}, {}, False),
        ({}, {"a": 1}, False),
        ({}, {}, True),
        ({"a": 1, "b": 1}, {"a": 1, "b": 2}, True),
    ],
)
def test_an_immutable_field_may_not_change_appear_or_vanish(old: Any, new: Any, good: bool) -> None:
    broken = list(broken_transitions(old, new, _schema(*immutable("a"))))
    assert (not broken) is good
    assert all(item.field == "a" for item in broken)
