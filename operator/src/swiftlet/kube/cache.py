"""Observed objects, in memory. It follows watches and lists, and what the operator itself has written.

Never goes back: an older version of an object, or one from before its deletion, is ignored, in whatever order watches,
lists and answers to our own writes come in.
"""

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from swiftlet.kinds.reading import OWNER_LABEL
from swiftlet.kube.compact import packed, unpacked

Manifest = dict[str, Any]
Key = tuple[str, str, str]
"""(kind, namespace, name); the namespace of a cluster-scoped object is empty."""

REMEMBERED_SECONDS = 600.0
"""How long a deletion is remembered: longer than a list, or an answer of the API server, can be under way."""


@dataclass(slots=True)
class _Entry:
    data: bytes
    uid: str
    version: int
    owner: str | None


def key_of(manifest: Manifest) -> Key:
    """Where an object is kept."""
    metadata = manifest["metadata"]
    return sys.intern(manifest["kind"]), sys.intern(metadata.get("namespace") or ""), metadata["name"]


def version_of(manifest: Manifest) -> int:
    """metadata.resourceVersion, which etcd counts up. Source: Kubernetes API concepts, comparable resource versions."""
    return int(manifest["metadata"]["resourceVersion"])


class Cache:
    """Objects by kind, namespace and name, and children by the uid of their owner. Reading gives copies."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries: dict[str, dict[Key, _Entry]] = {}
        self._children: dict[str, list[Key]] = {}
        self._resources: dict[str, Key] = {}
        self._gone: dict[Key, tuple[int, float]] = {}
        self._clock = clock

    # Reading

    def get(self, key: Key) -> Manifest | None:
        """The object, or None."""
        entry = self._entries.get(key[0], {}).get(key)
        return unpacked(entry.data) if entry else None

    def uid(self, key: Key) -> str | None:
        """The uid of an object, or None when it is not there."""
        entry = self._entries.get(key[0], {}).get(key)
        return entry.uid if entry else None

    def version(self, key: Key) -> int | None:
        """The resourceVersion of an object, or None when it is not there."""
        entry = self._entries.get(key[0], {}).get(key)
        return entry.version if entry else None

    def children(self, owner_uid: str) -> list[Manifest]:
        """Objects that carry the owner's label."""
        return [unpacked(self._entries[key[0]][key].data) for key in self._children.get(owner_uid, ())]

    def resource(self, uid: str) -> Key | None:
        """The object that has this uid, when it is nobody's child."""
        return self._resources.get(uid)

    def keys(self, kind: str) -> list[Key]:
        """The objects of a kind."""
        return list(self._entries.get(kind, ()))

    def count(self, kind: str) -> int:
        """How many objects of a kind there are."""
        return len(self._entries.get(kind, ()))

    # Following

    def knows(self, key: Key, version: int) -> bool:
        """Whether an object of this version is no news."""
        entry = self._entries.get(key[0], {}).get(key)
        return (entry is not None and version <= entry.version) or version <= self._gone.get(key, (-1, 0.0))[0]

    def put(self, manifest: Manifest) -> bool:
        """Take up an object as it was seen; False when it is no news."""
        key, version = key_of(manifest), version_of(manifest)
        if self.knows(key, version):
            return False
        entries = self._entries.setdefault(key[0], {})
        before = entries.get(key)
        metadata = manifest["metadata"]
        owner = (metadata.get("labels") or {}).get(OWNER_LABEL)
        if before is not None and (before.owner != owner or before.uid != metadata["uid"]):
            self._unlink(key, before)
            before = None
        entries[key] = _Entry(packed(manifest), metadata["uid"], version, owner)
        if before is None:
            self._link(key, metadata["uid"], owner)
        return True

    def remove(self, manifest: Manifest) -> bool:
        """An object was seen to be deleted; False when that is no news."""
        key, version = key_of(manifest), version_of(manifest)
        self._gone[key] = (max(version, self._gone.get(key, (-1, 0.0))[0]), self._clock())
        entry = self._entries.get(key[0], {}).get(key)
        if entry is None or (entry.version > version and entry.uid != manifest["metadata"]["uid"]):
            return False
        self._drop(key, entry)
        return True

    def forget(self, key: Key, uid: str) -> bool:
        """The API server says that the object with this uid is not there; False when that is no news."""
        entry = self._entries.get(key[0], {}).get(key)
        if entry is None or entry.uid != uid:
            return False
        self._gone[key] = (entry.version, self._clock())
        self._drop(key, entry)
        return True

    def mark_deleted(self, key: Key, moment: str) -> None:
        """Deletion was asked for and granted; the watch will tell when it is done."""
        entry = self._entries.get(key[0], {}).get(key)
        if entry is not None:
            manifest = unpacked(entry.data)
            manifest["metadata"].setdefault("deletionTimestamp", moment)
            entry.data = packed(manifest)

    def prune(self, kind: str, namespace: str | None, listed: Iterable[Key], version: int) -> list[Manifest]:
        """Drop what a complete list of a kind (in a namespace, or everywhere) of this version does not have.

        Objects that are newer than the list stay. Returns what was dropped. Also forgets old deletions.
        """
        known = self._entries.get(kind, {})
        ghosts = [
            (key, entry)
            for key, entry in known.items()
            if entry.version <= version and (namespace is None or key[1] == namespace)
        ]
        found = set(listed)
        dropped = [(key, entry) for key, entry in ghosts if key not in found]
        for key, entry in dropped:
            self._gone[key] = (version, self._clock())
            self._drop(key, entry)
        horizon = self._clock() - REMEMBERED_SECONDS
        for key in [key for key, (_, since) in self._gone.items() if since < horizon]:
            del self._gone[key]
        return [unpacked(entry.data) for _, entry in dropped]

    # Inside

    def _drop(self, key: Key, entry: _Entry) -> None:
        del self._entries[key[0]][key]
        self._unlink(key, entry)

    def _link(self, key: Key, uid: str, owner: str | None) -> None:
        if owner is None:
            self._resources[uid] = key
        else:
            self._children.setdefault(owner, []).append(key)

    def _unlink(self, key: Key, entry: _Entry) -> None:
        if entry.owner is None:
            self._resources.pop(entry.uid, None)
            return
        siblings = self._children[entry.owner]
        siblings.remove(key)
        if not siblings:
            del self._children[entry.owner]
