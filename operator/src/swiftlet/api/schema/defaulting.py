"""Static defaulting, as the API server does it before it evaluates rules."""

import copy
from collections.abc import Mapping
from typing import Any

from swiftlet.api.schema.structural import structural_schema


def defaulted(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `document` with the schema's defaults filled in and null fields left out.

    Defaults go where the parent exists, from the root down, so a default object gets the defaults of its own fields. A
    null counts as absent, since no field of ours is nullable. Raises KeyError for a kind that is not ours.
    Source: apiextensions-apiserver, pkg/apiserver/schema/defaulting.
    """
    result: dict[str, Any] = _fill(copy.deepcopy(dict(document)), structural_schema(document["kind"]))
    return result


def _fill(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, list) and "items" in schema:
        return [_fill(item, schema["items"]) for item in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    other = schema.get("additionalProperties")
    if not properties and other is None:
        return value
    # A null in a field that the schema does not know stays, so that validation names the field.
    present = {key: item for key, item in value.items() if item is not None or not (key in properties or other)}
    for key, part in properties.items():
        if key not in present and "default" in part:
            present[key] = copy.deepcopy(part["default"])
    return {key: _fill(item, properties.get(key, other or {})) for key, item in present.items()}
