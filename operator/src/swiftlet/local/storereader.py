"""The store as reconcilers see it."""

from dataclasses import dataclass
from typing import Any

from swiftlet.local.progress import ProgressReader
from swiftlet.local.store import Store


@dataclass(frozen=True)
class StoreReader:
    """What reconcilers may look at (`kinds.reading.Reader`)."""

    store: Store
    reports: ProgressReader

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        return self.store.get(kind, namespace, name)

    def children(self, namespace: str, owner_uid: str) -> list[dict[str, Any]]:
        return self.store.descendants(namespace, owner_uid)

    def progress(self, uid: str) -> dict[str, Any] | None:
        return self.reports.of(uid)

    def complaint(self, job: dict[str, Any]) -> None:
        """Nothing refuses pods here."""
