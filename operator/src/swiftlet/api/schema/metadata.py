"""What Kubernetes demands of every object's metadata beyond types.

Source: apimachinery, pkg/util/validation (IsQualifiedName, IsValidLabelValue, IsDNS1123Label) and pkg/api/validation
(ValidateAnnotations).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from swiftlet.api.schema.problems import Location, Problem, Source, field_path, shown

MOST_ANNOTATION_BYTES = 2**18
"""Bytes that keys and values of all annotations may have together."""

_PART = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)")
_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LETTERS = "letters, digits, -, _ and ., with a letter or digit at both ends"


def metadata_problems(metadata: Mapping[str, Any], source: Source) -> Iterator[tuple[Location, Problem]]:
    """Problems of namespace, labels and annotations; values of a wrong type are left to the schema."""

    def problem(at: Location, value: str, rule: str, remedy: str) -> tuple[Location, Problem]:
        return at, Problem(source.file, source.line(at), field_path(at), shown(value), rule, remedy)

    namespace = metadata.get("namespace")
    if isinstance(namespace, str) and not _NAMESPACE.fullmatch(namespace):
        remedy = "use up to 63 lower-case letters, digits and -, with a letter or digit at both ends"
        yield problem(("metadata", "namespace"), namespace, "is not a name", remedy)
    for field, noun in (("labels", "a label"), ("annotations", "an annotation")):
        entries = metadata.get(field)
        for key, value in entries.items() if isinstance(entries, dict) else ():
            at: Location = ("metadata", field, str(key))
            if not is_qualified_name(str(key)):
                remedy = f"write name or domain/name; the name has up to 63 {_LETTERS}"
                yield problem(at, str(key), f"is not the key of {noun}", remedy)
            if field == "labels" and isinstance(value, str) and value and not _PART.fullmatch(value):
                yield problem(at, value, "is not the value of a label", f"use up to 63 {_LETTERS}, or an annotation")
    size = _size(metadata.get("annotations"))
    if size > MOST_ANNOTATION_BYTES:
        at = ("metadata", "annotations")
        rule = f"hold {size:,} bytes; all annotations together may hold {MOST_ANNOTATION_BYTES:,}"
        yield at, Problem(source.file, source.line(at), field_path(at), None, rule, "keep long text in a ConfigMap")


def is_qualified_name(key: str) -> bool:
    """Whether `key` is `name` or `domain/name`."""
    domain, slash, name = key.rpartition("/")
    prefixed = not slash or (len(domain) <= 253 and _DOMAIN.fullmatch(domain) is not None)
    return prefixed and _PART.fullmatch(name) is not None


def _size(entries: Any) -> int:
    texts = entries.items() if isinstance(entries, dict) else ()
    return sum(len(str(key).encode()) + len(str(value).encode()) for key, value in texts)
