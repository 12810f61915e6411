"""One object by the words that name it."""

from typing import Any

from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.resourcekinds import OURS, ResourceKind, kind_of
from swiftlet.cli.reading.world import World

Object = dict[str, Any]


def existing(world: World, kind: ResourceKind, namespace: str, name: str) -> Object:
    """The object. Raises CommandError, with the nearest name, when there is none."""
    found = world.get(kind.name, namespace if kind.namespaced else None, name)
    if found is not None:
        return found
    from swiftlet.api.schema.validation import nearest

    names = [item["metadata"]["name"] for item in world.list(kind.name, namespace if kind.namespaced else None)]
    if not names and kind.namespaced:
        world.check_namespace(namespace)
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


def the_only(world: World, namespace: str, name: str) -> Object:
    """The pod, or the one resource of ours, that has this name. Raises CommandError when none or several have it."""
    pod = world.get("Pod", namespace, name)
    if pod:
        return pod
    found = [item for kind in OURS if (item := world.get(kind.name, namespace if kind.namespaced else None, name))]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"{item['kind'].lower()}/{name}" for item in found)
        raise CommandError(f"{name!r} names several resources; say which: {listed}")
    return existing(world, kind_of("pods"), namespace, name)


def children_of(world: World, item: Object) -> list[Object]:
    """Everything that was made for a resource of ours."""
    namespace = item["metadata"].get("namespace")
    return world.descendants(namespace, item["metadata"]["uid"]) if namespace else []


def events_about(world: World, item: Object, namespace: str) -> list[Object]:
    """What happened to a resource and to everything that was made for it, of a namespace's events, oldest first."""
    uids = {about["metadata"]["uid"] for about in (item, *children_of(world, item))}
    found = world.events(namespace=namespace)
    return [event for event in found if event["involvedObject"].get("uid") in uids]
