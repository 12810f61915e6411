"""The models as structural schemas: the form that a CRD carries and that defaulting and rules are read from.

A structural schema has no references, no unions with null (a field that is absent is absent) and static defaults; its
one union is that of integer and string.
Source: Kubernetes documentation, "Specifying a structural schema".
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from swiftlet.api import KINDS
from swiftlet.api.base import ApiModel, Rule
from swiftlet.api.names import quoted

Schema = dict[str, Any]

_KEPT = (
    *("description", "type", "format", "enum", "default", "pattern", "minLength", "maxLength", "minimum", "maximum"),
    *("minItems", "maxItems", "minProperties", "maxProperties", "required", "x-kubernetes-validations"),
    "x-kubernetes-int-or-string",
)
"""Keywords that pass as they are, in the order in which they are written."""
_LIST_MAPS = {"conditions": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}}
"""Lists whose items are told apart by a key, so that several writers can share them."""
_FORMATS = {"integer": "int64", "number": "double"}


class _StructuralSchema(GenerateJsonSchema):
    """pydantic's JSON schema, with defaults that come from factories, and with each model's CEL rules."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        factory = schema.get("default_factory")
        default = factory() if factory is not None else schema.get("default")  # type: ignore[call-arg]
        if isinstance(default, BaseModel):
            # What is left out here is filled in by the defaults of the fields below.
            default = default.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return inner if default is None else {**inner, "default": default}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        result = super().model_schema(schema)
        rules = schema["cls"].rules if issubclass(schema["cls"], ApiModel) else ()
        if rules:
            result["x-kubernetes-validations"] = [_validation(rule) for rule in rules]
        return result


def _validation(rule: Rule) -> dict[str, str]:
    told = {"messageExpression": f"{quoted(f'{rule.message}: ')} + {rule.figures}"} if rule.figures else {}
    where = {"fieldPath": f".{rule.field}"} if rule.field else {}
    return {"rule": rule.cel, "message": rule.message, **told, **where}


@cache
def structural_schema(kind: str) -> Schema:
    """Schema of a kind, with `metadata` left to Kubernetes. Shared: do not change it. KeyError for another's kind."""
    schema = structural(KINDS[kind])
    text = {"type": "string"}
    ours = {name: part for name, part in schema["properties"].items() if name in ("spec", "status")}
    required = {"required": ["spec"]} if "spec" in schema["required"] else {}
    properties = {"apiVersion": text, "kind": text, "metadata": {"type": "object"}, **ours}
    return {key: part for key, part in schema.items() if key != "required"} | {"properties": properties} | required


def structural(model: type[BaseModel]) -> Schema:
    """Structural schema of one model."""
    raw = model.model_json_schema(by_alias=True, schema_generator=_StructuralSchema, mode="validation")
    return _inlined(raw, raw.get("$defs", {}))


def _inlined(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    """`schema` without references, in the keywords that the API server knows (OpenAPI v3.0)."""
    merged = dict(schema)
    if "$ref" in merged:
        name = merged.pop("$ref").removeprefix("#/$defs/")
        merged = definitions[name] | merged
        return _inlined(merged, definitions)
    result = {key: merged[key] for key in _KEPT if key in merged}
    if "x-kubernetes-int-or-string" in merged:
        result["anyOf"] = merged["anyOf"]
    if "const" in merged:
        result["enum"] = [merged["const"]]
    for bound in ("inimum", "aximum"):
        if f"exclusiveM{bound}" in merged:
            result |= {f"m{bound}": merged[f"exclusiveM{bound}"], f"exclusiveM{bound}": True}
    if merged.get("properties"):
        parts = {key: _inlined(value, definitions) for key, value in merged["properties"].items()}
        result["properties"] = parts | {name: parts[name] | _LIST_MAPS[name] for name in _LIST_MAPS if name in parts}
    elif isinstance(merged.get("additionalProperties"), dict):
        result["additionalProperties"] = _inlined(merged["additionalProperties"], definitions)
    if "items" in merged:
        result["items"] = _inlined(merged["items"], definitions)
    if result.get("type") in _FORMATS:
        result["format"] = _FORMATS[result["type"]]
    return result
