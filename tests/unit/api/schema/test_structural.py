from collections.abc import Iterator
from typing import Any

import pytest
from swiftlet.api import KINDS
from swiftlet.api.schema.structural import Schema, structural_schema


def _nodes(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from _nodes(part, f"{path}.{name}")
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            yield from _nodes(schema[keyword], f"{path}[]")


@pytest.mark.parametrize("kind", KINDS)
def test_every_node_has_a_type_and_nothing_that_is_not_structural(kind: str) -> None:
    forbidden = {"$ref", "$defs", "oneOf", "allOf", "not", "const", "title", "nullable"}
    for path, node in _nodes(structural_schema(kind), kind):
        if node.get("x-kubernetes-int-or-string"):
            assert node["anyOf"] == [{"type": "integer"}, {"type": "string"}] and "type" not in node, path
            continue
        assert "anyOf" not in node, path
        assert node["type"] in {"object", "array", "string", "integer", "number", "boolean"}, path
        assert not forbidden & set(node), path
        assert not ({"properties", "additionalProperties"} <= set(node)), path


@pytest.mark.parametrize("kind", KINDS)
def test_everything_in_a_spec_is_bounded(kind: str) -> None:
    """The API server charges rules by the largest object that the schema allows."""
    for path, node in _nodes(structural_schema(kind)["properties"]["spec"], f"{kind}.spec"):
        if node.get("type", "string") == "string":
            assert "maxLength" in node or "enum" in node, path
        if node.get("type") == "array":
            assert "maxItems" in node, path
        if "additionalProperties" in node:
            assert "maxProperties" in node, path


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described(kind: str) -> None:
    properties = structural_schema(kind)["properties"]
    for part in {"spec", "status"} & set(properties):
        for path, node in _nodes(properties[part], f"{kind}.{part}"):
            assert path.endswith("[]") or node.get("description"), path


def test_defaults_come_from_factories_and_leave_nested_defaults_to_their_fields() -> None:
    spec = structural_schema("FineTuneJob")["properties"]["spec"]["properties"]
    assert spec["task"]["default"] == {"sft": {}}
    assert spec["training"]["default"] == {}
    assert spec["training"]["properties"]["learningRate"]["default"] == 1e-4
    assert "default" not in spec["training"]["properties"]["epochs"]


def test_bounds_that_exclude_their_end_are_written_as_openapi_writes_them() -> None:
    epochs = structural_schema("FineTuneJob")["properties"]["spec"]["properties"]["training"]["properties"]["epochs"]
    assert {"minimum": 0, "exclusiveMinimum": True, "maximum": 10000}.items() <= epochs.items()


def test_conditions_are_a_list_map() -> None:
    conditions = structural_schema("EvalRun")["properties"]["status"]["properties"]["conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]


def test_rules_stand_at_the_objects_they_bind() -> None:
    tuner: Any = structural_schema("FineTuneJob")["properties"]["spec"]["properties"]["tuner"]
    assert [rule["message"] for rule in tuner["x-kubernetes-validations"]] == ["set exactly one of lora, full"]


def test_quantities_are_integers_or_strings() -> None:
    compute = structural_schema("FineTuneJob")["properties"]["spec"]["properties"]["compute"]
    limits = compute["properties"]["resources"]["properties"]["limits"]
    assert limits["additionalProperties"]["x-kubernetes-int-or-string"] is True
    assert "pattern" in limits["additionalProperties"]
