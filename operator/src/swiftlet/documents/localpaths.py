"""The URIs and local paths of documents; relative paths are made absolute against the folder of the document."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from swiftlet.api import KINDS
from swiftlet.api.schema.problems import Location
from swiftlet.api.schema.structural import structural_schema
from swiftlet.api.v1alpha1.uris import DATA_URI_PATTERN, MODEL_URI_PATTERN, local_uri, parse_uri, scheme_of
from swiftlet.documents.document import NamedUri, Use

_KEY_FILE = ("spec", "api", "apiKey", "file")


def uris_of(document: Mapping[str, Any]) -> Iterator[NamedUri]:
    """Every text of a document that is a URI by its schema and well formed, and `spec.api.apiKey.file`."""
    if document["kind"] not in KINDS:
        return
    yield from _uris(document, structural_schema(document["kind"]), ())
    value: Any = document
    for name in _KEY_FILE:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, str) and value:
        yield NamedUri(_KEY_FILE, Use.KEY, value)


def with_absolute_paths(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A copy in which each local URI is `file:///...` and `spec.api.apiKey.file` is an absolute path."""
    result = dict(document)
    for found in uris_of(document):
        if found.use is Use.KEY:
            result = _replaced(result, found.at, str(local_path(found.text, folder)))
        elif scheme_of(uri := parse_uri(found.text)).is_local:
            result = _replaced(result, found.at, local_uri(str(local_path(uri.path, folder))))
    return result


def local_path(text: str, folder: Path) -> Path:
    """Where a path of a document in `folder` leads. A link at its end stays: its own name has the ending, which the
    file that it leads to may not have (the hub's cache).
    """
    path = folder / text
    return path.parent.resolve() / path.name if path.name not in ("", "..") else path.resolve()


def _uris(value: Any, schema: Mapping[str, Any], at: Location) -> Iterator[NamedUri]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _uris(item, schema.get("properties", {}).get(key, {}), (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _uris(item, schema.get("items", {}), (*at, index))
    elif isinstance(value, str):
        pattern = schema.get("pattern")
        if pattern in (DATA_URI_PATTERN, MODEL_URI_PATTERN) and re.fullmatch(pattern, value):
            yield NamedUri(at, _use(pattern, at), value)


def _use(pattern: str, at: Location) -> Use:
    if pattern == DATA_URI_PATTERN:
        return Use.DATA
    return Use.ADAPTER if at[-1] == "adapterUri" or "adapters" in at else Use.MODEL


def _replaced(value: Any, at: Location, text: str) -> Any:
    """A copy of `value` with `text` at one place."""
    if not at:
        return text
    copied = value.copy()
    copied[at[0]] = _replaced(value[at[0]], at[1:], text)
    return copied
