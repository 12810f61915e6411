"""Relative paths in documents, made absolute against the folder of the document."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swiftlet.api import KINDS
from swiftlet.api.schema import structural_schema
from swiftlet.api.uris import DATA_URI_PATTERN, MODEL_URI_PATTERN, parse_uri


def with_absolute_paths(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A copy in which each local URI is `file:///...` and `spec.api.apiKey.file` is an absolute path."""
    if document["kind"] not in KINDS:
        return dict(document)
    result: dict[str, Any] = _rewritten(document, structural_schema(document["kind"]), folder)
    try:
        key = result["spec"]["api"]["apiKey"]
        key["file"] = str((folder / key["file"]).resolve())
    except (KeyError, TypeError):
        pass  # no key file, or a document that validation refuses
    return result


def _rewritten(value: Any, schema: Mapping[str, Any], folder: Path) -> Any:
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        return {key: _rewritten(item, properties.get(key, {}), folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_rewritten(item, schema.get("items", {}), folder) for item in value]
    if isinstance(value, str) and schema.get("pattern") in (DATA_URI_PATTERN, MODEL_URI_PATTERN):
        return _absolute(value, schema["pattern"], folder)
    return value


def _absolute(uri: str, pattern: str, folder: Path) -> str:
    if not re.fullmatch(pattern, uri) or not parse_uri(uri).is_local:
        return uri
    return f"file://{(folder / parse_uri(uri).path).resolve()}"
