"""What an engine works on: the resources that were named, and what these need."""

from collections.abc import Sequence

from swiftlet.control.keys import Key
from swiftlet.documents.document import Document
from swiftlet.kinds.references.watched import references
from swiftlet.local.store import Store, key_of


def needed(documents: Sequence[Document], store: Store) -> frozenset[Key]:
    """Keys of the documents' objects, of everything that they refer to, and so on along what is stored."""
    found: set[Key] = set()
    waiting = [dict(document.object) for document in documents]
    while waiting:
        item = waiting.pop()
        found.add(key_of(item))
        for reference in references(item):
            stored = store.get(reference.kind, reference.namespace, reference.name)
            if stored is not None and key_of(stored) not in found:
                waiting.append(stored)
    return frozenset(found)
