"""Reading a state folder from outside the engine."""

from pathlib import Path
from typing import Any

from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.leftstore import LeftStore
from swiftlet.cli.reading.resourcekinds import OURS, ResourceKind, kind_of
from swiftlet.local.store import Store

Object = dict[str, Any]


def open_store(state: Path) -> Store:
    """The objects of a state folder as they are now, to read. Raises CommandError when nothing was ever run there."""
    if not (state / "objects").is_dir():
        raise CommandError(
            f"nothing was run in the state folder {state}; start with `swiftlet run PATH`, or name another with --state"
        )
    return LeftStore(state)


def existing(store: Store, kind: ResourceKind, namespace: str, name: str) -> Object:
    """The object. Raises CommandError, with the nearest name, when there is none."""
    found = store.get(kind.name, namespace if kind.namespaced else None, name)
    if found is not None:
        return found
    from swiftlet.api.validation import nearest

    names = [item["metadata"]["name"] for item in store.list(kind.name, namespace if kind.namespaced else None)]
    close = nearest(name, names)
    hint = f"did you mean {close}?" if close else f"there are: {', '.join(names)}" if names else "there are none"
    raise CommandError(f"{kind.plural} {name!r} not found; {hint}")


def split_target(words: list[str]) -> tuple[ResourceKind | None, str]:
    """`KIND/NAME`, `KIND NAME` or `NAME` as a kind (None: not said) and a name. Raises CommandError."""
    if len(words) == 2 and "/" not in words[0] + words[1]:
        return kind_of(words[0]), words[1]
    if len(words) == 1:
        kind, slash, name = words[0].rpartition("/")
        if not slash or (kind and name):
            return (kind_of(kind) if slash else None), name
    raise CommandError(f"{' '.join(words)!r} is not one resource; write KIND/NAME, such as finetunejob/bird")


def the_only(store: Store, namespace: str, name: str) -> Object:
    """The pod, or the one resource of ours, that has this name. Raises CommandError when none or several have it."""
    pod = store.get("Pod", namespace, name)
    if pod:
        return pod
    found = [item for kind in OURS if (item := store.get(kind.name, namespace if kind.namespaced else None, name))]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"{item['kind'].lower()}/{name}" for item in found)
        raise CommandError(f"{name!r} names several resources; say which: {listed}")
    return existing(store, kind_of("pods"), namespace, name)


def children_of(store: Store, item: Object) -> list[Object]:
    """Everything that was made for a resource of ours."""
    return store.descendants(item["metadata"].get("namespace") or "default", item["metadata"]["uid"])
