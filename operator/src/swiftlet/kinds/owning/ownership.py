"""Names, labels and owner references of children."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from swiftlet.api.base import API_VERSION, Resource
from swiftlet.kinds.conditions.verdict import Verdict
from swiftlet.kinds.frame.reading import OWNER_LABEL, Reader
from swiftlet.kinds.owning.owners import controller_of, owned_by

KIND_LABEL = "swiftlet.dev/kind"
NAME_LABEL = "swiftlet.dev/name"
ATTEMPT_LABEL = "swiftlet.dev/attempt"
NAME_CONFLICT = "NameConflict"
DIGEST_ANNOTATION = "swiftlet.dev/plan-digest"
"""Digest of everything the child was planned from; a child with another digest follows an older plan."""


def namespace_of(resource: Resource) -> str:
    """The namespace, `default` when a document names none."""
    return resource.metadata.namespace or "default"


def uid_of(resource: Resource) -> str:
    """The uid. Raises ValueError for a resource that was never stored, as its children could not be found again."""
    if not resource.metadata.uid:
        raise ValueError(f"{resource.kind_name} {resource.metadata.name} has no metadata.uid: store it first")
    return resource.metadata.uid


def labels(resource: Resource, component: str) -> dict[str, str]:
    """Labels of a child and of its pods."""
    return {
        "app.kubernetes.io/name": "swiftlet",
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": resource.metadata.name,
        "app.kubernetes.io/managed-by": "swiftlet",
        KIND_LABEL: resource.kind_name,
        NAME_LABEL: resource.metadata.name,
        OWNER_LABEL: uid_of(resource),
    }


def owner_reference(resource: Resource) -> dict[str, Any]:
    """The controller reference that makes a child go with its resource."""
    return {
        "apiVersion": API_VERSION,
        "kind": resource.kind_name,
        "name": resource.metadata.name,
        "uid": uid_of(resource),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def child_metadata(resource: Resource, name: str, component: str) -> dict[str, Any]:
    """metadata of a child."""
    return {
        "name": name,
        "namespace": namespace_of(resource),
        "labels": labels(resource, component),
        "ownerReferences": [owner_reference(resource)],
    }


def canonical_json(value: Any, indent: int | None = 2) -> str:
    """JSON with sorted keys, so that equal documents are equal texts."""
    return json.dumps(value, sort_keys=True, indent=indent, ensure_ascii=False) + "\n"


def digest_of(value: Any) -> str:
    """`sha256:` digest of a value's JSON with sorted keys and without spaces, which Python writes ten times faster."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def planned_port(namespace: str, name: str, first: int, count: int) -> int:
    """A port in [first, first+count) that depends on the name only, so that pods which share a network differ."""
    number = int.from_bytes(hashlib.sha256(f"{namespace}/{name}".encode()).digest()[:8], "big")
    return first + number % count


def name_conflict(
    resource: Resource, reader: Reader, children: Sequence[dict[str, Any]], manifests: list[dict[str, Any]]
) -> Verdict | None:
    """An obstacle when a child's name is taken by an object that is not ours; nothing of others is overwritten.

    children: what the resource has already.
    """
    taken: list[str] = []
    leaving: list[str] = []
    own = {(child["kind"], child["metadata"]["name"]) for child in children if owned_by(child, uid_of(resource))}
    for manifest in manifests:
        if (manifest["kind"], manifest["metadata"]["name"]) in own:
            continue
        existing = reader.get(manifest["kind"], manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        if existing is None or owned_by(existing, uid_of(resource)):
            continue
        label = f"{manifest['kind']} {manifest['metadata']['namespace']}/{manifest['metadata']['name']}"
        (leaving if _of_a_predecessor(existing, resource) else taken).append(label)
    if taken:
        return Verdict(
            NAME_CONFLICT,
            f"{', '.join(taken)} exists and does not belong to this {resource.kind_name}: rename one of the two",
        )
    if leaving:
        return Verdict(
            "WaitingForDeletion",
            f"{', '.join(leaving)} of a deleted {resource.kind_name} of this name is still there",
            waits=True,
        )
    return None


def _of_a_predecessor(existing: dict[str, Any], resource: Resource) -> bool:
    owner = controller_of(existing)
    return owner is not None and (owner.kind, owner.name) == (resource.kind_name, resource.metadata.name)
