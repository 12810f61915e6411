"""What `run --replace` makes anew."""

from collections.abc import Sequence
from typing import Any

from swiftlet.api import KINDS
from swiftlet.api.schema.validation import validate_update
from swiftlet.documents import Document
from swiftlet.kinds.conditions.summary import settled
from swiftlet.local.store import Store

Object = dict[str, Any]


def to_replace(store: Store, documents: Sequence[Document]) -> list[Document]:
    """The documents whose stored resource failed, or has other values in fields that cannot change."""
    found = []
    for document in documents:
        stored = store.get(*document.key) if document.kind in KINDS else None
        if stored is None:
            continue
        before: Object = {name: value for name, value in stored.items() if name in ("apiVersion", "kind", "spec")}
        before["metadata"] = {"name": stored["metadata"]["name"]}
        if settled(stored) == "failed" or validate_update(before, document.object, document.source):
            found.append(document)
    return found
