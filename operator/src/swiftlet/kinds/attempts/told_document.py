"""The job document that an attempt's objects hold, read back."""

import json
from collections.abc import Iterable
from typing import Any

from swiftlet.kinds.attempts.backends.registry import BACKENDS
from swiftlet.kinds.children.job_document import DOCUMENT_ANNOTATION, KEY

Manifest = dict[str, Any]


def told_document(objects: Iterable[Manifest]) -> Manifest | None:
    """The first job document among rendered or stored objects; None where none holds one that can be read.

    Long ones, those of servers, and those of runs that releases before began are in ConfigMaps.
    """
    for item in objects:
        try:
            found = json.loads(_text(item) or "null")
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return None


def _text(item: Manifest) -> str | None:
    if item["kind"] == "ConfigMap":
        return (item.get("data") or {}).get(KEY)
    if item["kind"] not in BACKENDS:
        return None
    template = BACKENDS[item["kind"]].told(item, [])["spec"].get("template") or {}
    return ((template.get("metadata") or {}).get("annotations") or {}).get(DOCUMENT_ANNOTATION)
