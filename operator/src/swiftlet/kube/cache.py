"""Observed objects, in memory. It follows watches and lists, and what the operator itself has written.

Never goes back: an older version of an object, or one from before its deletion, is ignored, in whatever order watches,
lists and answers to our own writes come in.

Whoever may write a label can make the operator see an object, so what belongs to no resource, a stray, has a bounded
place: the oldest are forgotten first. One whose owner comes to be known later, as a pod may be seen before its
ReplicaSet, is a stray no more; one that was forgotten is told again by the next list.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from swiftlet.control.keys import Key, key_of
from swiftlet.kinds.owning.owners import LONGEST_CHAIN, Owner, controller_of
from swiftlet.kube.compact import packed, unpacked
from swiftlet.kube.paths import OWN_TYPES

Manifest = dict[str, Any]

REMEMBERED_SECONDS = 600.0
"""How long a deletion is remembered: longer than a list, or an answer of the API server, can be under way."""
STRAY_BYTES = 4 << 20
"""Room for all strays together."""
LARGEST_STRAY = 64 << 10
"""A larger one is not kept at all; what we make is smaller, without what `kube.compact` leaves out."""


@dataclass(slots=True)
class _Entry:
    data: bytes
    uid: str
    version: int
    owner: Owner | None
    """Who controls it; None for our own resources, whoever has made them."""


def version_of(manifest: Manifest) -> int:
    """metadata.resourceVersion, which etcd counts up. Source: Kubernetes API concepts, comparable resource versions."""
    return int(manifest["metadata"]["resourceVersion"])


class Cache:
    """Objects by kind, namespace and name, and by the uid of their controller. Reading gives copies."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries: dict[str, dict[Key, _Entry]] = {}
        self._owned: dict[str, dict[Key, None]] = {}
        self._strays: OrderedDict[Key, int] = OrderedDict()
        self._stray_bytes = 0
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

    def children(self, namespace: str, owner_uid: str) -> list[Manifest]:
        """What an object of a namespace controls, and what that controls in turn."""
        return [unpacked(self._entries[key[0]][key].data) for key in self._below(namespace, owner_uid)]

    def resource(self, uid: str) -> Key | None:
        """Our own resource that has this uid."""
        return self._resources.get(uid)

    def resource_of(self, manifest: Manifest) -> Key | None:
        """Our own resource that an object is, or belongs to through its controllers; None for everything else."""
        key = key_of(manifest)
        return key if key[0] in OWN_TYPES else self._root(key[1], controller_of(manifest))

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
        uid = manifest["metadata"]["uid"]
        owner = None if key[0] in OWN_TYPES else controller_of(manifest)
        data = packed(manifest)
        is_stray = key[0] not in OWN_TYPES and self._root(key[1], owner) is None
        if before is not None and (before.owner != owner or before.uid != uid or is_stray):
            self._drop(key, before)
            before = None
        if is_stray and len(data) > LARGEST_STRAY:
            return True
        entries[key] = _Entry(data, uid, version, owner)
        if before is None:
            self._link(key, entries[key])
        if is_stray:
            self._keep_stray(key, len(data))
        else:
            for child in list(self._below(key[1], uid)):
                self._forget_stray(child)
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
        self._forget_stray(key)
        self._resources.pop(entry.uid, None)
        if entry.owner is not None:
            siblings = self._owned[entry.owner.uid]
            del siblings[key]
            if not siblings:
                del self._owned[entry.owner.uid]
        for child in list(self._below(key[1], entry.uid)):
            if (left := self._entries[child[0]].get(child)) is not None:
                self._keep_stray(child, len(left.data))

    def _link(self, key: Key, entry: _Entry) -> None:
        if key[0] in OWN_TYPES:
            self._resources[entry.uid] = key
        elif entry.owner is not None:
            self._owned.setdefault(entry.owner.uid, {})[key] = None

    def _below(self, namespace: str, uid: str) -> Iterator[Key]:
        """What an object controls, and what that controls in turn. Nothing is controlled by two, so no loop is met."""
        for key in self._owned.get(uid, ()):
            if key[1] == namespace:
                yield key
                yield from self._below(namespace, self._entries[key[0]][key].uid)

    def _root(self, namespace: str, owner: Owner | None) -> Key | None:
        """Our own resource at the end of a chain of controllers, or None."""
        for _ in range(LONGEST_CHAIN):
            if owner is None:
                break
            key = (owner.kind, namespace, owner.name)
            entry = self._entries.get(owner.kind, {}).get(key)
            if entry is None or entry.uid != owner.uid:
                break
            if owner.kind in OWN_TYPES:
                return key
            owner = entry.owner
        return None

    def _keep_stray(self, key: Key, size: int) -> None:
        self._forget_stray(key)
        self._strays[key] = size
        self._stray_bytes += size
        while self._stray_bytes > STRAY_BYTES:
            oldest = next(iter(self._strays))
            self._drop(oldest, self._entries[oldest[0]][oldest])

    def _forget_stray(self, key: Key) -> None:
        self._stray_bytes -= self._strays.pop(key, 0)
