"""Who owns whom: by controller owner references, by uid, inside one namespace, and by nothing else.

Labels are for selecting: whoever may create a pod anywhere can write any label, but the API server's garbage collector
holds an owner reference to a uid of the object's own namespace. Source: Kubernetes, "Owners and Dependents";
`metav1.GetControllerOf`.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

LONGEST_CHAIN = 3
"""Pod, ReplicaSet, Deployment: no chain of ours has more controllers below the resource. Others may build loops."""

Get = Callable[[str, str | None, str], dict[str, Any] | None]


class Owner(NamedTuple):
    """The object that controls another one, in the same namespace."""

    kind: str
    name: str
    uid: str


def controller_of(manifest: dict[str, Any]) -> Owner | None:
    """The controller that an object names, or None."""
    for reference in manifest["metadata"].get("ownerReferences") or []:
        if reference.get("controller"):
            return Owner(sys.intern(reference["kind"]), reference["name"], reference["uid"])
    return None


def owned_by(manifest: dict[str, Any], uid: str) -> bool:
    """Whether the object's controller has this uid."""
    found = controller_of(manifest)
    return found is not None and found.uid == uid


def root_of(manifest: dict[str, Any], get: Get) -> dict[str, Any] | None:
    """The object at the end of a chain of controllers that are all there; None when one of them is not.

    get: one object by kind, namespace and name. An object that nothing controls is its own root.
    """
    for _ in range(LONGEST_CHAIN + 1):
        owner = controller_of(manifest)
        if owner is None:
            return manifest
        found = get(owner.kind, manifest["metadata"].get("namespace"), owner.name)
        if found is None or found["metadata"].get("uid") != owner.uid:
            return None
        manifest = found
    return None


def descendants(objects: Iterable[dict[str, Any]], namespace: str, uid: str) -> list[dict[str, Any]]:
    """What the object `uid` of a namespace controls, and what that controls in turn: its Jobs and their pods."""
    below: dict[str, list[dict[str, Any]]] = {}
    for item in objects:
        owner = controller_of(item)
        if owner is not None and item["metadata"].get("namespace") == namespace:
            below.setdefault(owner.uid, []).append(item)
    found: list[dict[str, Any]] = []
    uids = [uid]
    for owner_uid in uids:
        found += below.get(owner_uid, ())
        uids += [item["metadata"]["uid"] for item in below.pop(owner_uid, ())]
    return found
