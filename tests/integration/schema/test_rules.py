"""Each CEL rule of each kind, broken and repaired, against the real API server and the local validation."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from swiftlet.api import KINDS
from swiftlet.api.schema.crd import crd
from swiftlet.api.schema.validation import validate, validate_update

Object = dict[str, Any]


def _rules(schema: Object, path: str = "") -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", ()):
        yield f"{path}: {rule['message']}"
    for name, part in schema.get("properties", {}).items():
        yield from _rules(part, f"{path}.{name}" if path else name)
    for keyword, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(keyword), dict):
            yield from _rules(schema[keyword], path + mark)


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_has_a_case_and_every_case_a_rule(kind: str, rules: Any) -> None:
    (version,) = crd(kind)["spec"]["versions"]
    assert {case["rule"] for case in rules[kind]} == set(_rules(version["schema"]["openAPIV3Schema"]))


def test_the_api_server_enforces_it_and_names_the_field(
    rule_case: tuple[Object, Object], server: Any, change: Any, stored: Any
) -> None:
    base, case = rule_case
    message = case["rule"].partition(": ")[2]
    broken, repaired = change(base, case["breaks"]), change(base, case["repaired"])
    if "before" in case:
        old = stored(change(base, case["before"]))
        refused, accepted = (server.replace(_over(old, new)) for new in (broken, repaired))
    else:
        refused, accepted = server.create(broken), server.create(repaired)
    assert refused.code == 422, refused.body
    assert message in refused.said
    assert refused.names(case["field"]), refused.said
    assert not accepted.refused, accepted.said


def test_swiftlet_enforces_it_on_the_same_field(rule_case: tuple[Object, Object], change: Any) -> None:
    base, case = rule_case
    broken, repaired = change(base, case["breaks"]), change(base, case["repaired"])
    if "before" in case:
        old = change(base, case["before"])
        assert validate(broken) == validate(repaired) == []
        problems, none = validate_update(old, broken), validate_update(old, repaired)
        assert {problem.field.startswith(case["field"]) for problem in problems} == {True}
    else:
        problems, none = validate(broken), validate(repaired)
        assert [problem.field for problem in problems] == [case["field"]]
    assert none == []


def _over(old: Object, new: Object) -> Object:
    """`new` as an update of the stored `old`."""
    return {
        **copy.deepcopy(new),
        "metadata": {**new["metadata"], "resourceVersion": old["metadata"]["resourceVersion"]},
    }
