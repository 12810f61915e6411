"""The state folder as the loop sees it (`control.store.Store`): nothing here waits, and nobody else writes."""

from collections.abc import Container, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from swiftlet.control.keys import Key, Manifest
from swiftlet.control.store import View
from swiftlet.kinds import Event
from swiftlet.kinds.frame.outcome import ObjectRef, Patch
from swiftlet.kinds.owning.owners import root_of
from swiftlet.local.node import Node
from swiftlet.local.progress import ProgressReader
from swiftlet.local.store import NotStoredError, Store, key_of

MANAGER = "operator"


@dataclass(frozen=True)
class StoreView:
    """What one decision sees: everything that is stored, and every change of it will be seen."""

    store: Store
    reports: ProgressReader
    watched: set[Key] = field(default_factory=set)
    unwatched: frozenset[Key] = frozenset()
    missing: frozenset[Key] = frozenset()
    hindered: tuple[Manifest, ...] = ()

    def get(self, kind: str, namespace: str | None, name: str) -> Manifest | None:
        self.watched.add(key_of({"kind": kind, "metadata": {"namespace": namespace, "name": name}}))
        return self.store.get(kind, namespace, name)

    def children(self, namespace: str, owner_uid: str) -> list[Manifest]:
        return self.store.descendants(namespace, owner_uid)

    def progress(self, uid: str) -> dict[str, Any] | None:
        return self.reports.of(uid)

    def serves(self, kind: str) -> bool:
        """There are no kinds here but those that there must be."""
        return False

    def complaint(self, job: Manifest) -> None:
        """Nothing refuses pods here."""


class LocalStore:
    """Reads and writes the files of one state folder. Raises what the disk raises."""

    def __init__(self, node: Node, reports: ProgressReader, kinds: Container[str]) -> None:
        """kinds: of the resources."""
        self._node, self._store, self._reports, self._kinds = node, node.store, reports, kinds

    def get(self, key: Key) -> Manifest | None:
        return self._store.get(*key)

    def resource_of(self, manifest: Manifest) -> Key | None:
        root = root_of(manifest, self._store.get)
        return key_of(root) if root is not None and root["kind"] in self._kinds else None

    # Seeing: there is nothing that would have to be looked up.

    async def first_seen(self, resource: Manifest) -> dict[Key, Manifest | None]:
        return {}

    def view(self, resource: Manifest, live: dict[Key, Manifest | None]) -> StoreView:
        return StoreView(self._store, self._reports)

    async def completed(self, view: View, live: dict[Key, Manifest | None]) -> bool:
        return False

    def doubt(self, keys: Iterable[Key]) -> None:
        pass

    def pause(self, resource: Key, view: View, asked: float | None) -> float | None:
        return asked

    # Changing

    def signed(self, manifest: Manifest) -> Manifest:
        """As it is: who has given which field is stored with each object."""
        return manifest

    def digest(self, child: Manifest) -> str:
        return repr(child)

    def is_due(self, child: Manifest) -> bool:
        return not self._store.stands(child, MANAGER)

    async def apply(self, child: Manifest, live: dict[Key, Manifest | None]) -> bool:
        self._store.apply(child, MANAGER)
        return True

    async def patch(self, patch: Patch) -> None:
        with suppress(NotStoredError):  # gone: the next decision knows
            self._store.patch(patch.target.kind, patch.target.namespace, patch.target.name, patch.fields)

    async def delete(self, reference: ObjectRef) -> None:
        self._store.delete(reference.kind, reference.namespace, reference.name)

    async def report(self, resource: Manifest, status: Manifest) -> bool:
        if resource.get("status") == status:
            return False
        self._store.update_status(*key_of(resource), status=status)
        return True

    def tell(self, resource: Manifest, event: Event) -> None:
        self._node.event(resource, event.type, event.reason, event.message)

    def forget(self, resource: Key) -> None:
        pass
