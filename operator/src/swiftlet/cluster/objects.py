"""The objects of a cluster, read as those of a state folder are."""

from collections.abc import Callable
from typing import Any

from swiftlet.api import KINDS
from swiftlet.api.schema.validation import nearest
from swiftlet.cluster.connection import APPLY, MERGE, Connection
from swiftlet.cluster.errors import ClusterError, RefusedError
from swiftlet.cluster.kinds import READ_TYPES
from swiftlet.kinds.frame.reading import OWNER_LABEL
from swiftlet.kinds.owning.owners import controller_of, descendants
from swiftlet.kube.paths import CHILD_TYPES, EXTRA_TYPES

Object = dict[str, Any]
Documents = list[Object]
CHUNK = 500
"""Objects of one answer to a list, as kubectl asks."""
NOT_INSTALLED = (
    "{where}: the cluster does not serve {resource}: Swiftlet is not installed there; install its chart,"
    " or its kinds alone with `kubectl apply --server-side -f crds/` (docs/operator.md)"
)


class ClusterObjects:
    """Reads, imagines and deletes with the rights of the kubeconfig's user. All methods raise ClusterError."""

    def __init__(self, connection: Connection, warn: Callable[[str], None] = lambda _text: None) -> None:
        self.connection = connection
        self._warn = warn

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """The object, or None."""
        try:
            found = self.connection.send("GET", READ_TYPES[kind].object(namespace, name))
        except RefusedError as error:
            if error.code == 404:
                return None
            raise
        return _shown(found)

    def list(self, kind: str, namespace: str | None = None, labels: dict[str, str] | None = None) -> Documents:
        """Objects by kind, namespace and equal labels (None: any), ordered by namespace and name."""
        selector = {"labelSelector": ",".join(f"{key}={value}" for key, value in labels.items())} if labels else {}
        return self._listed(kind, namespace, selector)

    def descendants(self, namespace: str, uid: str) -> Documents:
        """What an object controls, and what that controls in turn. What may not be read is left out, with a
        warning."""
        found: Documents = []
        for kind in CHILD_TYPES:
            found += self._labelled(kind, namespace, uid)
        owners = {owner.kind for item in found if (owner := controller_of(item))}
        for kind in owners & EXTRA_TYPES.keys():
            found += self._labelled(kind, namespace, uid)
        return descendants(found, namespace, uid)

    def _labelled(self, kind: str, namespace: str, uid: str) -> Documents:
        try:
            return self.list(kind, namespace, {OWNER_LABEL: uid})
        except RefusedError as error:
            if error.code != 403:
                raise
            self._warn(str(error))
            return []

    def events(self, kind: str | None = None, namespace: str | None = None, name: str | None = None) -> Documents:
        """Events about an object (None: any), oldest last occurrence first."""
        wanted = {"involvedObject.kind": kind, "involvedObject.name": name}
        fields = ",".join(f"{field}={value}" for field, value in wanted.items() if value)
        found = map(_dated, self._listed("Event", namespace, {"fieldSelector": fields} if fields else {}))
        return sorted(found, key=lambda event: event["lastTimestamp"])

    def delete(self, kind: str, namespace: str | None, name: str) -> bool:
        """Delete an object and, in the background, what it owns. False: it was not there."""
        path, options = READ_TYPES[kind].object(namespace, name), {"propagationPolicy": "Background"}
        try:
            self.connection.send("DELETE", path, body=options)
        except RefusedError as error:
            if error.code == 404:
                return False
            raise
        return True

    def suspend(self, kind: str, namespace: str, name: str, suspended: bool) -> None:
        """Set spec.suspend, and nothing else."""
        path = READ_TYPES[kind].object(namespace, name)
        self.connection.send("PATCH", path, body={"spec": {"suspend": suspended}}, content_type=MERGE)

    def imagine(self, item: Object) -> Object:
        """What the API server would make of an object by `kubectl apply --server-side`, defaulted and admitted; nothing
        is stored. Raises RefusedError with all that it refuses."""
        kind, metadata = item["kind"], item["metadata"]
        path = READ_TYPES[kind].object(metadata.get("namespace"), metadata["name"])
        # Whose fields they are now is no obstacle: kubectl asks for the same word when it comes to that.
        query = {"dryRun": "All", "fieldManager": "kubectl", "force": "true"}
        try:
            return _shown(self.connection.send("PATCH", path, query, item, APPLY))
        except RefusedError as error:
            raise self._unserved(kind, error) from error

    def check_namespace(self, namespace: str) -> None:
        """Raise ClusterError, with the nearest name, for a namespace that does not exist; whoever may not look is told
        nothing."""
        try:
            if self.get("Namespace", None, namespace):
                return
            names = [item["metadata"]["name"] for item in self.list("Namespace")]
        except RefusedError as error:
            if error.code != 403:
                raise
            names = None
        if names is not None:
            close = nearest(namespace, names)
            raise ClusterError(f"there is no namespace {namespace!r}" + (f"; did you mean {close}?" if close else ""))

    def _listed(self, kind: str, namespace: str | None, query: dict[str, str]) -> Documents:
        found = READ_TYPES[kind]
        items: Documents = []
        query = {"limit": str(CHUNK), **query}
        while True:
            try:
                answer = self.connection.send("GET", found.collection(namespace), query)
            except RefusedError as error:
                raise self._unserved(kind, error) from error
            items += [{"apiVersion": found.api_version, "kind": kind, **item} for item in answer["items"] or ()]
            if not (token := answer["metadata"].get("continue")):
                return sorted(map(_shown, items), key=_place)
            query["continue"] = token

    def _unserved(self, kind: str, error: RefusedError) -> ClusterError:
        """Lists and what is applied are found also where nothing is yet: what is not found is the kind."""
        if error.code != 404 or kind not in KINDS:
            return error
        resource = f"{READ_TYPES[kind].plural}.{READ_TYPES[kind].api_version.partition('/')[0]}"
        return ClusterError(NOT_INSTALLED.format(where=self.connection.access.where, resource=resource))


def _place(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace") or "", item["metadata"]["name"]


def _shown(item: Object) -> Object:
    """Without the record of who wrote which field, as kubectl shows objects."""
    item["metadata"].pop("managedFields", None)
    return item


def _dated(event: Object) -> Object:
    """An event of either API with the fields of core/v1 that readers look at. Source: events.k8s.io/v1 Event."""
    series = event.get("series") or {}
    times = event.get("lastTimestamp"), series.get("lastObservedTime"), event.get("eventTime")
    moment = next((time for time in times if time), event["metadata"].get("creationTimestamp") or "")
    count = event.get("count") or series.get("count") or 1
    return {**event, "lastTimestamp": moment, "count": count, "message": event.get("message") or ""}
