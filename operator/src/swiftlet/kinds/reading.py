"""What a reconciler may look at."""

from typing import Any, Protocol

OWNER_LABEL = "swiftlet.dev/owner-uid"
"""Every child, and every pod of a child, carries the uid of the resource it was made for under this label: the operator
selects what it watches by it. Nobody believes it: what an object belongs to, its controller reference says."""


class Reader(Protocol):
    """Observed state. Answers come from a cache: reading is cheap, never blocks, and may lag behind writes."""

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """One object of any kind by name (namespace None: cluster-scoped), or None when there is none."""

    def children(self, namespace: str, owner_uid: str) -> list[dict[str, Any]]:
        """What the resource controls, by `kinds.owners`: Jobs, Deployments and the rest, and the pods of these."""

    def progress(self, uid: str) -> dict[str, Any] | None:
        """What the pods of the resource reported, folded by `kinds.progress.merge`, or None when they said nothing."""
