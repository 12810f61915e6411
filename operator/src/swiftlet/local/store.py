"""The persistent object store: what the API server and etcd are to a cluster."""

import copy
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from swiftlet.api import KINDS
from swiftlet.control.keys import Key
from swiftlet.kinds.owning.owners import descendants
from swiftlet.local.merge import applied, field_set, patched
from swiftlet.local.objectfiles import ObjectFiles, Stored
from swiftlet.local.secrets import encoded_secret
from swiftlet.observability.event_record import counted_event

Documents = list[dict[str, Any]]

CLUSTER_SCOPED = frozenset(
    {name for name, model in KINDS.items() if model.scope == "Cluster"} | {"Namespace", "Node", "PersistentVolume"}
)
SYSTEM_FIELDS = (
    "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    "managedFields",
)  # fmt: skip
"""Fields of metadata that the store writes and an applier cannot."""
MAX_EVENTS = 200
"""Events that are kept for one object; the oldest go first."""


class NotStoredError(KeyError):
    """The object does not exist."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Change:
    """One write. `object` is the object after it, or the last state of a deleted one. Not to be modified."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: dict[str, Any]

    @property
    def key(self) -> Key:
        return key_of(self.object)


def key_of(document: dict[str, Any]) -> Key:
    """Where a document is stored; the namespace `default` is meant when it names none."""
    return _key(document["kind"], document["metadata"].get("namespace"), document["metadata"]["name"])


def _key(kind: str, namespace: str | None, name: str) -> Key:
    return kind, "" if kind in CLUSTER_SCOPED else namespace or "default", name


class Store:
    """Objects of one state folder, as JSON files below `root/objects`.

    A writable store keeps everything in memory and must be the only one (`local.lock`); a read-only one reads the files
    on each call, so it sees what a running engine writes. Objects that are handed out are copies.
    """

    def __init__(self, root: Path, read_only: bool = False) -> None:
        self._files = ObjectFiles(root / "objects")
        self._read_only = read_only
        self._entries: dict[Key, Stored] = {}
        self._watchers: list[Callable[[Change], None]] = []
        self._version = 0
        if not read_only:
            for entry in self._files.read_all():
                self._entries[key_of(entry.object)] = entry
                self._version = max(self._version, int(entry.object["metadata"]["resourceVersion"]))

    # Reading

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """The object, or None."""
        key = _key(kind, namespace, name)
        entry = self._files.read(key) if self._read_only else self._entries.get(key)
        return copy.deepcopy(entry.object) if entry else None

    def list(
        self, kind: str | None = None, namespace: str | None = None, labels: dict[str, str] | None = None
    ) -> Documents:
        """Objects by kind, namespace and equal labels (None: any), ordered by kind, namespace and name."""
        if self._read_only:
            found = {key_of(entry.object): entry for entry in self._files.read_all(kind or "*")}
        else:
            found = self._entries
        return [
            copy.deepcopy(found[key].object)
            for key in sorted(found)
            if (kind is None or key[0] == kind)
            and (namespace is None or key[1] == namespace)
            and _matches(found[key].object, labels)
        ]

    def descendants(self, namespace: str, uid: str) -> Documents:
        """What an object controls, and what that controls in turn (`kinds.owners`)."""
        entries = self._files.read_all() if self._read_only else self._entries.values()
        return copy.deepcopy(descendants((entry.object for entry in entries), namespace, uid))

    def events(self, kind: str | None = None, namespace: str | None = None, name: str | None = None) -> Documents:
        """Events about an object (None: any), oldest last occurrence first."""
        wanted = {"kind": kind, "name": name}
        found = [
            event
            for event in self.list("Event", namespace)
            if all(value is None or event["involvedObject"].get(field) == value for field, value in wanted.items())
        ]
        return sorted(found, key=lambda event: (event["lastTimestamp"], int(event["metadata"]["resourceVersion"])))

    def watch(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call `callback` after every write, in order. Returns the function that ends it."""
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback)

    # Writing

    def apply(self, document: dict[str, Any], manager: str = "swiftlet") -> dict[str, Any]:
        """Create the object or merge the given fields into it (`local.merge`); status is not touched.

        Nothing is written, and nobody is told, when nothing changes. Returns the stored object.
        """
        return self._put(*self._applied(document, manager))

    def stands(self, document: dict[str, Any], manager: str) -> bool:
        """Whether to apply the document would change nothing."""
        key, after = self._applied(document, manager)
        return self._entries.get(key) == after

    def patch(self, kind: str, namespace: str | None, name: str, patch: dict[str, Any]) -> dict[str, Any]:
        """Change the fields that a JSON merge patch names. Raises NotStoredError when the object is gone."""
        entry = self._stored(kind, namespace, name)
        after = patched(entry.object, patch)
        after["metadata"] = {**after["metadata"], **_system_fields(entry.object, after)}
        return self._put(_key(kind, namespace, name), Stored(after, entry.owned))

    def update_status(self, kind: str, namespace: str | None, name: str, status: dict[str, Any]) -> dict[str, Any]:
        """Replace the status. Raises NotStoredError when the object is gone."""
        entry = self._stored(kind, namespace, name)
        return self._put(_key(kind, namespace, name), Stored({**entry.object, "status": status}, entry.owned))

    def delete(self, kind: str, namespace: str | None, name: str, grace_seconds: float | None = None) -> None:
        """Delete the object and, through ownerReferences, what belongs to it. Deleting nothing is no error.

        As in a cluster a pod is only marked (deletionTimestamp), and whoever runs it removes it when its processes are
        gone, unless `grace_seconds` is 0.
        """
        key = _key(kind, namespace, name)
        entry = self._entries.get(key)
        if entry is None:
            return
        if kind == "Pod" and grace_seconds != 0:
            self._mark_deleted(key, entry, grace_seconds)
            return
        self.remove(kind, namespace, name)
        uid = entry.object["metadata"]["uid"]
        for child_key, child in list(self._entries.items()):
            about = child.object.get("involvedObject", {}).get("uid")
            owners = child.object["metadata"].get("ownerReferences") or []
            if about == uid or any(owner["uid"] == uid for owner in owners):
                self.delete(*child_key, grace_seconds=grace_seconds)

    def remove(self, kind: str, namespace: str | None, name: str) -> None:
        """Forget one object at once, without what belongs to it."""
        key = _key(kind, namespace, name)
        if key not in self._entries:
            return
        self._files.remove(key)
        entry = self._entries.pop(key)
        self._tell(Change("DELETED", entry.object))

    def record_event(self, about: dict[str, Any], type_: str, reason: str, message: str) -> None:
        """Record an event about an object; the same one again only counts up."""
        event = counted_event(about, type_, reason, message, self._now())
        key = key_of(event)
        before = self._entries.get(key)
        if before is not None:
            event["count"] = before.object["count"] + 1
            event["firstTimestamp"] = before.object["firstTimestamp"]
        self.apply(event)
        if before is None:
            involved = event["involvedObject"]
            for old in self.events(involved["kind"], event["metadata"]["namespace"], involved["name"])[:-MAX_EVENTS]:
                self.remove("Event", old["metadata"]["namespace"], old["metadata"]["name"])

    # Inside

    def _applied(self, document: dict[str, Any], manager: str) -> tuple[Key, Stored]:
        given = _given(document)
        key = key_of(given)
        entry = self._entries.get(key)
        live = entry.object if entry else {}
        owned = entry.owned if entry else {}
        after = applied(live, given, owned.get(manager, {}))
        after["metadata"] = {**after["metadata"], **_system_fields(live, after)}
        return key, Stored(after, {**owned, manager: field_set(given)})

    def _put(self, key: Key, entry: Stored) -> dict[str, Any]:
        if self._read_only:
            raise PermissionError("the store was opened read-only")
        before = self._entries.get(key)
        if before is None or before != entry:
            silent = before is not None and before.object == entry.object
            self._version += not silent
            metadata = {**entry.object["metadata"], "resourceVersion": str(self._version)}
            if silent:
                metadata["resourceVersion"] = entry.object["metadata"]["resourceVersion"]
            # A private copy, so that no caller can change what is stored.
            entry = Stored(copy.deepcopy({**entry.object, "metadata": metadata}), entry.owned)
            self._files.write(key, entry)
            self._entries[key] = entry
            if not silent:
                self._tell(Change("MODIFIED" if before else "ADDED", entry.object))
        return copy.deepcopy(entry.object)

    def _tell(self, change: Change) -> None:
        for watcher in list(self._watchers):
            watcher(change)

    def _stored(self, kind: str, namespace: str | None, name: str) -> Stored:
        entry = self._entries.get(_key(kind, namespace, name))
        if entry is None:
            raise NotStoredError(f"{kind} {namespace or 'default'}/{name} does not exist")
        return entry

    def _mark_deleted(self, key: Key, entry: Stored, grace_seconds: float | None) -> None:
        if "deletionTimestamp" in entry.object["metadata"]:
            return
        if grace_seconds is None:
            grace_seconds = entry.object.get("spec", {}).get("terminationGracePeriodSeconds", 30)
        marks = {"deletionTimestamp": self._now(), "deletionGracePeriodSeconds": grace_seconds}
        self._put(key, Stored({**entry.object, "metadata": {**entry.object["metadata"], **marks}}, entry.owned))

    @staticmethod
    def _now() -> str:
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _given(document: dict[str, Any]) -> dict[str, Any]:
    """What an applier may set: no status, no system fields; secrets in their stored form."""
    kind, namespace, _ = key_of(document)
    metadata = {name: value for name, value in document["metadata"].items() if name not in SYSTEM_FIELDS}
    if namespace:
        metadata["namespace"] = namespace
    given = {**document, "metadata": metadata}
    given.pop("status", None)
    return encoded_secret(given) if kind == "Secret" else given


def _system_fields(live: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """uid and creation time for a new object; the generation counts changes of spec."""
    metadata = live.get("metadata", {})
    fields: dict[str, Any] = {
        "uid": metadata.get("uid") or str(uuid.uuid4()),
        "creationTimestamp": metadata.get("creationTimestamp") or Store._now(),
    }
    if "spec" in after:
        changed = not live or live.get("spec") != after["spec"]
        fields["generation"] = metadata.get("generation", 0) + changed
    return fields


def _matches(document: dict[str, Any], labels: dict[str, str] | None) -> bool:
    own = document["metadata"].get("labels") or {}
    return all(own.get(name) == value for name, value in (labels or {}).items())
