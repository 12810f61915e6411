"""Documents as if they were applied to a cluster, which is read behind them with the rights of who asks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from swiftlet.api import KINDS
from swiftlet.api.schema.problems import InvalidDocuments
from swiftlet.cli.acting.planning import Imagined
from swiftlet.cluster.errors import RefusedError
from swiftlet.cluster.kinds import READ_TYPES
from swiftlet.cluster.objects import ClusterObjects
from swiftlet.documents import Document
from swiftlet.documents.document import Key
from swiftlet.documents.read import check_documents
from swiftlet.documents.references import Reference, references_of
from swiftlet.kinds.references.profiles import DEFAULT_PROFILE
from swiftlet.kube.paths import CHILD_TYPES

Object = dict[str, Any]
UNKNOWN_IMAGES = {"images": {"trainer": "unknown", "server": "unknown"}}
"""Of a profile that may not be read: no image is no obstacle."""
FORBIDDEN = 403


class ClusterImagined(Imagined):
    """The documents, and behind them what the cluster has. What may not be read is noted, and taken as there; what is
    the operator's to make, as absent, unless documents refer to it."""

    def __init__(self, cluster: ClusterObjects) -> None:
        super().__init__()
        self.unread: dict[Key, str] = {}
        """Why, by what it is about."""
        self._cluster = cluster
        self._missing: set[Key] = set()

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        key: Key = (kind, namespace or "", name)
        if key not in self.objects and key not in self._missing:
            found = self._read(key)
            if found is None:
                self._missing.add(key)
            else:
                self.objects[key] = found
        return self.objects.get(key)

    def _read(self, key: Key) -> Object | None:
        kind, namespace, name = key
        try:
            return self._cluster.get(kind, namespace or None, name)
        except RefusedError as error:
            if error.code != FORBIDDEN or (READ_TYPES[kind].namespaced and kind in KINDS):
                raise
            self.unread[key] = not_known(error)
        is_absent = kind in CHILD_TYPES or (kind, name) == ("ComputeProfile", DEFAULT_PROFILE)
        return None if is_absent else _stand_in(key)

    def assume(self, key: Key, data_key: str | None) -> Object:
        """Take what may not be read as there, with a key in its data."""
        item = self.objects.setdefault(key, _stand_in(key))
        item["data"] |= {data_key: ""} if data_key else {}
        return item


def _stand_in(key: Key) -> Object:
    kind, namespace, name = key
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    spec = UNKNOWN_IMAGES if kind == "ComputeProfile" else {}
    version = READ_TYPES[kind].api_version
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec, "data": {}}


def not_known(error: RefusedError) -> str:
    """Which right is missing, without the command that grants it: a plan is of use without."""
    return str(error).partition(";")[0].partition(": ")[2]


def placed(documents: Sequence[Document], namespace: str) -> list[Document]:
    """The documents with `namespace` where they name none, as kubectl would apply them."""
    return [_placed(document, namespace) for document in documents]


def _placed(document: Document, namespace: str) -> Document:
    metadata = document.object.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("namespace") or not READ_TYPES[document.kind].namespaced:
        return document
    return replace(document, object={**document.object, "metadata": {**metadata, "namespace": namespace}})


def check(documents: Sequence[Document], imagined: ClusterImagined, cluster: ClusterObjects) -> None:
    """Raise InvalidDocuments for what the schema, the rules and the references of documents and cluster refuse."""
    ours = {document.key for document in documents}
    existing: dict[Key, Object] = {}
    for reference in _references(documents, imagined):
        key = reference.target
        if key in ours:
            continue
        found = imagined.get(*key)
        if key in imagined.unread and key[0] != "ComputeProfile":
            found = imagined.assume(key, reference.key)
        if found:
            existing[key] = found
        else:
            existing |= {(*key[:2], item["metadata"]["name"]): item for item in _others(key, cluster)}
    if problems := check_documents(documents, existing.values()):
        raise InvalidDocuments(problems)


def _references(documents: Sequence[Document], imagined: ClusterImagined) -> Iterator[Reference]:
    """What the documents name, and what that names in turn."""
    left, seen = [document.object for document in documents if isinstance(document.object.get("metadata"), dict)], set()
    while left:
        for reference in references_of(left.pop()):
            yield reference
            found = imagined.get(*reference.target) if reference.target not in seen else None
            seen.add(reference.target)
            if found is not None and found["kind"] in KINDS:
                left.append(found)


def _others(key: Key, cluster: ClusterObjects) -> list[Object]:
    """What else could have been meant; whoever may not look is told nothing."""
    try:
        return cluster.list(key[0], key[1] or None)
    except RefusedError as error:
        if error.code != FORBIDDEN:
            raise
        return []
