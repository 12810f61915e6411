"""The history of a server: a ControllerRevision for each of its revisions, as StatefulSets keep theirs.

What pods are made from stands in it word for word, so that to go back asks nothing of resources, profiles and gates,
which may have changed since. The API server lets nobody change its data, which the digest is computed from.
Source: Kubernetes, apps/v1 ControllerRevision.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from swiftlet.api.base import Resource
from swiftlet.kinds.conditions.condition import has_condition
from swiftlet.kinds.frame.outcome import ObjectRef
from swiftlet.kinds.modeldeployment.revisions import DIGITS, document_label
from swiftlet.kinds.observing.observed import is_being_deleted, of_kind
from swiftlet.kinds.owning.owners import controller_of
from swiftlet.kinds.owning.ownership import DIGEST_ANNOTATION, child_metadata, digest_of

API, KIND = "apps/v1", "ControllerRevision"


@dataclass(frozen=True)
class Revision:
    """What a rollout makes pods from. number: zero where the history has none yet."""

    document: dict[str, Any]
    """The job document, as it is written."""
    template: dict[str, Any]
    """Of pods."""
    progress_deadline_seconds: int
    model_digest: str | None
    number: int = 0

    @cached_property
    def digest(self) -> str:
        return digest_of([self.document, self.template])

    @property
    def served_names(self) -> list[str]:
        return [*self.document.get("modelNames", ()), *(one["name"] for one in self.document.get("adapters", ()))]

    @property
    def image(self) -> str | None:
        """Of the container that serves."""
        return next((one.get("image") for one in self.template["spec"]["containers"]), None)


def controller_revision(resource: Resource, name: str, component: str, revision: Revision) -> dict[str, Any]:
    """The object that keeps a revision; `name` is the beginning of its own."""
    suffix = revision.digest.removeprefix("sha256:")[:DIGITS]
    metadata = child_metadata(resource, f"{name}-{suffix}", component)
    metadata["labels"] |= document_label(revision.document)
    data = {
        "document": revision.document,
        "modelDigest": revision.model_digest,
        "progressDeadlineSeconds": revision.progress_deadline_seconds,
        "template": revision.template,
    }
    given = {field: value for field, value in data.items() if value is not None}
    return {"apiVersion": API, "kind": KIND, "metadata": metadata, "data": given, "revision": revision.number}


def history_of(children: Iterable[dict[str, Any]]) -> list[tuple[Revision, ObjectRef]]:
    """What is kept, oldest first, and where. Objects that are no revisions of ours are left out."""
    kept = [child for child in of_kind(children, KIND) if not is_being_deleted(child)]
    read = [(_read(child), child["metadata"]) for child in kept]
    found = [
        (revision, ObjectRef(API, KIND, metadata.get("namespace"), metadata["name"]))
        for revision, metadata in read
        if revision
    ]
    return sorted(found, key=lambda one: one[0].number)


def numbered(revision: Revision, history: Sequence[Revision]) -> Revision:
    """The revision with its number: that of the newest where it is this one, else the next.

    What is kept of it stays as it is: another version of the operator may wait otherwise for pods that are the same.
    """
    kept = next((one for one in history if one.digest == revision.digest), None)
    if kept is not None and kept is history[-1]:
        return kept
    return replace(kept or revision, number=history[-1].number + 1 if history else 1)


def surplus(
    history: Sequence[tuple[Revision, ObjectRef]], in_use: Collection[str | None], current: int | None, limit: int
) -> list[ObjectRef]:
    """The oldest revisions beyond `limit`, without the newest, the current one and those in use (digests)."""
    old = [ref for revision, ref in history[:-1] if revision.digest not in in_use and revision.number != current]
    return old[: max(0, len(old) - limit)]


def ready_pods(children: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many pods are ready, by the digest of their revision; zero where there are some, and none is.

    A ReplicaSet has its Deployment's annotations as they were when it was the newest (Deployment controller); without
    ReplicaSets, as in the local engine, no pod outlives its revision.
    """
    digests = {
        child["metadata"]["uid"]: (child["metadata"].get("annotations") or {}).get(DIGEST_ANNOTATION, "")
        for child in children
        if child["kind"] in ("ReplicaSet", "Deployment")
    }
    found: dict[str, int] = {}
    for pod in of_kind(children, "Pod"):
        owner = controller_of(pod)
        digest = digests.get(owner.uid, "") if owner else ""
        is_ready = has_condition(pod, "Ready") and not is_being_deleted(pod)
        found[digest] = found.get(digest, 0) + is_ready
    return found


def _read(child: dict[str, Any]) -> Revision | None:
    data, number = child.get("data"), child.get("revision")
    if not isinstance(data, dict) or not isinstance(number, int):
        return None
    document, template, deadline = (data.get(name) for name in ("document", "template", "progressDeadlineSeconds"))
    if not isinstance(document, dict) or not isinstance(template, dict) or not isinstance(deadline, int):
        return None
    return Revision(document, template, deadline, data.get("modelDigest"), number)
