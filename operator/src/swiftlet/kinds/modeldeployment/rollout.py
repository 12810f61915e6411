"""What status says of a server's revisions: which one serves, and what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from swiftlet.api.v1alpha1.modeldeployment import ModelDeploymentStatus, RevisionStatus
from swiftlet.kinds.conditions.timestamps import to_text
from swiftlet.kinds.modeldeployment.history import Revision


@dataclass(frozen=True)
class Rollout:
    """The history, oldest first, and how far `asked` has come, which may not be in it yet (None: it is held back).

    ready: ready pods by the digest of their revision. ready_replicas: ready pods of all revisions, as the Deployment
    counts them.
    """

    asked: Revision | None
    history: Sequence[Revision]
    ready: Mapping[str, int]
    ready_replicas: int
    is_over: bool
    """Whether every pod is of `asked`, and ready."""

    def current(self, old: ModelDeploymentStatus) -> int | None:
        """The last revision that all pods were of, as long as the history has it."""
        if self.is_over and self.asked:
            return self.asked.number
        known = {revision.number for revision in self._all}
        return old.current_revision if old.current_revision in known else None

    def older(self) -> list[int]:
        """Revisions beside the one that is asked for of which pods are ready."""
        asked = self.asked.digest if self.asked else None
        return [one.number for one in self.history if one.digest != asked and self.ready.get(one.digest)]

    def revisions(self, old: ModelDeploymentStatus, now: datetime) -> list[RevisionStatus]:
        """The history as status tells it."""
        ready_at = {one.revision: one.ready_at for one in old.revisions}
        if self.is_over and self.asked and self.ready_replicas:
            ready_at.setdefault(self.asked.number, None)
            ready_at[self.asked.number] = ready_at[self.asked.number] or to_text(now)
        return [
            RevisionStatus(
                revision=one.number,
                model_digest=one.model_digest,
                served_names=one.served_names,
                image=one.image,
                ready_at=ready_at.get(one.number),
                ready_replicas=self._ready(one),
            )
            for one in self._all
        ]

    @property
    def _all(self) -> list[Revision]:
        """With the one that is asked for, which takes the place of the same revision under an older number."""
        asked = [self.asked] if self.asked else []
        found = {one.digest: one for one in (*self.history, *asked)}
        return sorted(found.values(), key=lambda one: one.number)

    def _ready(self, revision: Revision) -> int:
        """Of the one that is asked for, what the Deployment counts beyond the others: both are then told at once."""
        if self.asked is None or revision.digest != self.asked.digest:
            return self.ready.get(revision.digest, 0)
        others = sum(count for digest, count in self.ready.items() if digest != self.asked.digest)
        return max(0, self.ready_replicas - others)
