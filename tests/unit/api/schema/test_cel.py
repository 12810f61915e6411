import subprocess
import sys
from typing import Any

import pytest
from swiftlet.api import KINDS
from swiftlet.api.schema.cel import _program, broken_rules, broken_transitions
from swiftlet.api.schema.structural import structural_schema


def _schemas(schema: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [*schema.get("properties", {}).values(), *(schema[key] for key in ("items",) if key in schema)]
    return [schema, *(below for part in parts for below in _schemas(part))]


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_compiles_and_reads_only_fields_of_its_object(kind: str) -> None:
    for schema in _schemas(structural_schema(kind)):
        for rule in schema.get("x-kubernetes-validations", ()):
            assert set(_program(rule["rule"]).variables()) <= {"self", "oldSelf", "x", "d", "g", "k", "a"}
            assert set(_program(rule.get("messageExpression", "''")).variables()) <= {"self"}
            blamed = schema
            for field in filter(None, rule.get("fieldPath", "").split(".")):
                assert field in blamed["properties"]
                blamed = blamed["properties"][field]


def test_rules_are_found_below_properties_lists_and_maps() -> None:
    rule = {"x-kubernetes-validations": [{"rule": "self.a > 0", "message": "too small", "fieldPath": ".a"}]}
    item = {"type": "object", **rule}
    schema = {"properties": {"list": {"items": item}, "map": {"additionalProperties": item}, "one": item}}
    document = {"list": [{"a": 1}, {"a": 0}], "map": {"k": {"a": 0}}, "one": {"a": 0}}
    broken = {(item.location, item.field, item.message) for item in broken_rules(document, schema)}
    assert broken == {(("list", 1), "a", "too small"), (("map", "k"), "a", "too small"), (("one",), "a", "too small")}


def test_figures_of_the_object_follow_the_message() -> None:
    rule = {"rule": "self.a > 0", "message": "too small", "messageExpression": "'too small: ' + string(self.a)"}
    assert [item.message for item in broken_rules({"a": -3}, {"x-kubernetes-validations": [rule]})] == ["too small: -3"]


def test_a_rule_that_cannot_be_evaluated_is_an_error_not_a_pass() -> None:
    schema = {"x-kubernetes-validations": [{"rule": "self.a.b > 0", "message": "m"}]}
    (broken,) = broken_rules({}, schema)
    assert broken.error
    assert "self.a.b > 0" in broken.message


def test_transition_rules_need_an_old_self() -> None:
    rule = {"x-kubernetes-validations": [{"rule": "self.a == oldSelf.a", "message": "m"}]}
    schema = {"properties": {"p": rule, "list": {"items": rule}}}
    new, old = {"p": {"a": 1}, "list": [{"a": 1}]}, {"p": {"a": 2}, "list": [{"a": 2}]}
    assert [item.location for item in broken_transitions(old, new, schema)] == [("p",)]
    assert not list(broken_transitions({}, new, schema))
    assert not list(broken_rules(new, schema))


def test_evaluating_rules_does_not_import_the_command_line_of_the_library() -> None:
    code = (
        "import sys; from swiftlet.api.schema.cel import _program; assert _program('1 + 1 == 2').execute({}) is True;"
        "assert not {'cel.cli', 'typer', 'rich.table'} & set(sys.modules), 'slow'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("quantity(self[0]).compareTo(quantity(self[1])) == 0", ["1100m", "1.1"]),
        ("quantity(self[0]).compareTo(quantity(self[1])) < 0", ["8G", "8Gi"]),
        ("quantity(string(self[0])).compareTo(quantity(string(self[1]))) > 0", [2, "1999m"]),
        ("self.map(x, x.size()).sum() == 3", ["a", "bc"]),
    ],
)
def test_functions_of_kubernetes_libraries_are_there(text: str, value: Any) -> None:
    schema = {"x-kubernetes-validations": [{"rule": text, "message": "no"}]}
    assert list(broken_rules(value, schema)) == []
