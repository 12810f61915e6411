"""What `swiftlet run` would create, found by the same reconcilers, with every reference imagined to be fulfilled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from swiftlet.api import KINDS
from swiftlet.api.schema.defaulting import defaulted
from swiftlet.api.v1alpha1.model_source import parent_name
from swiftlet.documents import Document
from swiftlet.documents.document import Key, key_of
from swiftlet.documents.references import references_of
from swiftlet.kinds import RECONCILERS
from swiftlet.kinds.attempts.told_document import told_document
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.summary import settled
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.local.places import local_capabilities
from swiftlet.storage.artifacts import artifact_uri

Object = dict[str, Any]
UNKNOWN_UID = "00000000-0000-0000-0000-000000000000"
UNKNOWN_DIGEST = "sha256:known-after-training"
ORDER = ("ComputeProfile", "FineTuneJob", "EvalRun", "ModelDeployment")
"""What is referred to comes before what refers to it."""


@dataclass(frozen=True)
class PlannedResource:
    """One resource: what would be created for it, or why nothing would. `spec` is the resource, defaulted."""

    resource: Object
    objects: tuple[Object, ...]
    refusal: str | None
    waits_for: tuple[str, ...]
    lineage: tuple[Object, ...] = ()
    """Of a FineTuneJob: the artifacts that its model comes from, newest first."""

    @property
    def first_model(self) -> str:
        """URI of the model at the end of a FineTuneJob's lineage, whose shape all others have."""
        uri: str = self.lineage[-1]["baseModel"] if self.lineage else self.resource["spec"]["model"]["uri"]
        return uri

    @property
    def job_document(self) -> Object:
        """What the pods would be told; empty when nothing would be created."""
        return told_document(self.objects) or {}

    @property
    def name(self) -> str:
        return f"{self.resource['kind'].lower()}/{self.resource['metadata']['name']}"


@dataclass
class Imagined:
    """The objects that there would be (`kinds.reading.Reader`)."""

    objects: dict[Key, Object] = field(default_factory=dict)

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        return self.objects.get((kind, namespace or "", name))

    def children(self, namespace: str, owner_uid: str) -> list[Object]:
        return []

    def progress(self, uid: str) -> Object | None:
        return None

    def serves(self, kind: str) -> bool:
        """Taken as there: an operator says so where it is not."""
        return True

    def complaint(self, job: Object) -> None:
        return None


def plan_documents(
    documents: Sequence[Document], existing: Sequence[Object], capabilities: Capabilities | None = None
) -> tuple[list[PlannedResource], Imagined]:
    """The plan of each resource of ours, in the order of their references, and the world that they were planned in.
    capabilities: those of the local engine where none are given."""
    world = Imagined({key_of(item): item for item in existing if item["kind"] not in ("Pod", "Job", "Deployment")})
    return plan_in(documents, world, capabilities or local_capabilities()), world


def plan_in(documents: Sequence[Document], world: Imagined, capabilities: Capabilities) -> list[PlannedResource]:
    """The plan of each resource of ours in a world, to which the documents are added.

    What they refer to and is not at its end is imagined to reach it too.
    """
    for document in documents:
        item = defaulted(document.object) if document.kind in KINDS else dict(document.object)
        stored = world.get(*document.key) or {}
        metadata = {
            "namespace": document.key[1],
            "generation": 1,
            "uid": stored.get("metadata", {}).get("uid", UNKNOWN_UID),
        }
        world.objects[document.key] = {**item, "metadata": {**metadata, **item["metadata"]}}
    ours = [document.key for document in documents if document.kind in RECONCILERS]
    keys = sorted([*ours, *_unfinished(ours, world)], key=lambda key: _place(key, world))
    planned = {key: _planned(key, world, capabilities) for key in keys}
    return [plan for key, plan in planned.items() if key in ours]


def _unfinished(keys: Sequence[Key], world: Imagined) -> list[Key]:
    """What these refer to, and what that refers to, that is stored and still runs; without what it has come to."""
    found: list[Key] = []
    left = list(keys)
    while left:
        for reference in references_of(world.get(*left.pop()) or {}):
            key = reference.target
            item = world.get(*key) if key[0] in RECONCILERS and key not in (*keys, *found) else None
            if item is not None and not settled(item):
                world.objects[key] = {name: part for name, part in defaulted(item).items() if name != "status"}
                found.append(key)
                left.append(key)
    return found


def _place(key: Key, world: Imagined) -> tuple[int, int]:
    """Where a resource comes: by its kind, and of FineTuneJobs after those that it starts from."""
    kind, namespace, name = key
    before, seen = kind == "FineTuneJob" and parent_name(world.get(*key)), {name}
    while before and before not in seen:
        seen.add(before)
        before = parent_name(world.get(kind, namespace, before))
    return ORDER.index(kind), len(seen)


def _planned(key: Key, world: Imagined, capabilities: Capabilities) -> PlannedResource:
    resource = world.objects[key]
    # A suspended run gets no children; its plan is what it will have when it goes on.
    awake = {**resource, "spec": {**resource["spec"], "suspend": False}} if "suspend" in resource["spec"] else resource
    outcome = RECONCILERS[key[0]](awake, world, datetime.now(UTC), capabilities)
    accepted = find_condition({"status": outcome.status}, "Accepted") or {}
    ready = find_condition({"status": outcome.status}, KINDS[key[0]].summary_condition) or {}
    refusal = None if outcome.desired else f"{ready.get('reason')}: {ready.get('message') or accepted.get('message')}"
    lineage = tuple(outcome.status.get("lineage", ()))
    world.objects[key] = {**resource, "status": _fulfilled(resource, outcome.desired, lineage)}
    return PlannedResource(resource, tuple(outcome.desired), refusal, _waits_for(resource["spec"]), lineage)


def _fulfilled(resource: Object, objects: Sequence[Object], lineage: Sequence[Object]) -> Object:
    """The status that others wait for."""
    generation = resource["metadata"]["generation"]

    def true(type_: str) -> Object:
        return {"type": type_, "status": "True", "reason": "Imagined", "observedGeneration": generation}

    document = told_document(objects) or {}
    if resource["kind"] == "FineTuneJob":
        artifact = {
            "uri": document.get("exportUri") or document.get("artifactUri", artifact_uri("unknown", "artifact")),
            "digest": UNKNOWN_DIGEST,
            "type": "model" if "full" in document.get("tuner", {}) else "adapter",
            "baseModel": document.get("model", {}).get("uri", artifact_uri("unknown", "model")),
        }
        told = {"conditions": [true("Succeeded")], "artifact": artifact, "lineage": list(lineage)}
        return {"observedGeneration": generation, **told}
    if resource["kind"] == "EvalRun":
        conditions = [true("GatePassed"), true("Succeeded")]
        return {"observedGeneration": generation, "conditions": conditions, "targetDigest": UNKNOWN_DIGEST}
    return {}


def _waits_for(value: Any) -> tuple[str, ...]:
    """kind/name of every resource that a spec refers to."""
    if isinstance(value, list):
        return tuple(dict.fromkeys(name for item in value for name in _waits_for(item)))
    if not isinstance(value, Mapping):
        return ()
    kinds = {"fineTuneJobRef": "finetunejob", "evalRunRef": "evalrun"}
    own = [f"{kinds[key]}/{part['name']}" for key, part in value.items() if key in kinds]
    return tuple(dict.fromkeys([*own, *(name for part in value.values() for name in _waits_for(part))]))
