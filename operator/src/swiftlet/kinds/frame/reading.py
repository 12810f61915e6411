"""What a reconciler may look at."""

from typing import Any, NamedTuple, Protocol

OWNER_LABEL = "swiftlet.dev/owner-uid"
"""Every child, and every pod of a child, carries the uid of the resource it was made for under this label: the operator
selects what it watches by it. Nobody believes it: what an object belongs to, its controller reference says."""


class Complaint(NamedTuple):
    """What a controller said about a pod that it could not make. moment: RFC 3339."""

    moment: str
    words: str


class Reader(Protocol):
    """Observed state. Answers come from a cache: reading is cheap, never blocks, and may lag behind writes."""

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """One object of any kind by name (namespace None: cluster-scoped), or None when there is none."""

    def children(self, namespace: str, owner_uid: str) -> list[dict[str, Any]]:
        """What the resource controls, by `kinds.owners`: Jobs, Deployments and the rest, and the pods of these."""

    def progress(self, uid: str) -> dict[str, Any] | None:
        """What the pods of the resource reported, folded by `kinds.progress.merge`, or None when they said nothing."""

    def serves(self, kind: str) -> bool:
        """Whether the cluster has a kind that it need not have, and the operator may use it."""

    def complaint(self, job: dict[str, Any]) -> Complaint | None:
        """What the controller of a Job said last about a pod that it could not make, or None: it said nothing, or
        nobody has asked yet. To ask is not free, so only those ask that miss pods."""
