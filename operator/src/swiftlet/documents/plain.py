"""ConfigMaps and Secrets: the kinds of Kubernetes that documents may hold."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from swiftlet.api.schema.problems import Location, Problem, shown
from swiftlet.api.schema.validation import nearest
from swiftlet.documents.document import Document
from swiftlet.storage.artifacts import ARTIFACT_FORM

KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
"""Key of a ConfigMap or Secret. Source: apimachinery `IsConfigMapKey`."""
MOST_BYTES = 2**20
"""Bytes that all values of a ConfigMap or Secret may hold. Source: `MaxSecretSize`, ConfigMap validation."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_TEXT = {"ConfigMap": "data", "Secret": "stringData"}
_BASE64 = {"ConfigMap": "binaryData", "Secret": "data"}
_FIELDS = {
    "ConfigMap": ("apiVersion", "kind", "metadata", "data", "binaryData", "immutable"),
    "Secret": ("apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable"),
}


def plain_problems(document: Document) -> list[Problem]:
    """Problems of one ConfigMap or Secret. Values of Secrets are never shown."""
    item, kind = document.object, document.kind
    problems = []
    for field in item:
        if field not in _FIELDS[kind]:
            close = nearest(field, _FIELDS[kind])
            remedy = f"did you mean {close}?" if close else f"the fields here are {', '.join(_FIELDS[kind])}"
            problems.append(document.problem((field,), "unknown field", remedy))
    metadata = item.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or len(name) > 253 or not _NAME.fullmatch(name):
        rule = "is required" if name is None else "is not a name"
        said = None if name is None else shown(name)
        problems.append(document.problem(("metadata", "name"), rule, "use lower-case letters, digits, - and .", said))
    for field, encoded in ((_TEXT[kind], False), (_BASE64[kind], True)):
        problems += _entry_problems(document, field, encoded)
    size = sum(map(len, decoded(item).values())) if not problems else 0
    if size > MOST_BYTES:
        rule = f"holds {size:,} bytes; a {kind} may hold {MOST_BYTES:,}"
        problems.append(document.problem((), rule, f"keep large data on a volume: {ARTIFACT_FORM}"))
    return problems


def _entry_problems(document: Document, field: str, encoded: bool) -> Iterator[Problem]:
    entries = document.object.get(field) or {}
    if not isinstance(entries, dict):
        yield document.problem((field,), "must be a map of keys to text")
        return
    for key, value in entries.items():
        at: Location = (field, key)
        if not KEY.fullmatch(key):
            yield document.problem(at, "is not a key", "use letters, digits, -, _ and .", shown(key))
        if not isinstance(value, str):
            yield document.problem(at, "must be a string", "put it in quotes")
        elif encoded and not _is_base64(value):
            yield document.problem(at, "is not base64", f"encode it, or move it to {_TEXT[document.kind]} as text")


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def decoded(item: Mapping[str, Any]) -> dict[str, bytes]:
    """The values of a sound ConfigMap or Secret by key; a Secret's stringData wins over its data."""
    plain = {key: value.encode() for key, value in (item.get(_TEXT[item["kind"]]) or {}).items()}
    other = {key: base64.b64decode(value) for key, value in (item.get(_BASE64[item["kind"]]) or {}).items()}
    return other | plain
