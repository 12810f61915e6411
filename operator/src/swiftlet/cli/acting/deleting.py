"""Deleting resources: of a cluster, or of a state folder on which no engine runs."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from swiftlet.cli import exitcodes
from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.finding import existing
from swiftlet.cli.reading.listing import selection
from swiftlet.cli.reading.resourcekinds import kind_of
from swiftlet.cli.reading.statefolder import open_store
from swiftlet.documents import Document, read_documents
from swiftlet.documents.document import Key
from swiftlet.local.leftovers import end_leftovers
from swiftlet.local.lock import StateLock, lock_holder
from swiftlet.local.logs import pod_folder
from swiftlet.local.store import Store
from swiftlet.local.volumes import release_shared_memory

if TYPE_CHECKING:
    from swiftlet.cli.reading.clusterworld import ClusterWorld


def named_by_arguments(words: Sequence[str], namespace: str, to: str = "delete") -> list[Key]:
    """The keys of `KIND NAME...` or `KIND/NAME...`. to: what is done with them. Raises CommandError."""
    wanted = selection(words[0], words[1:])
    if any(not one.names for one in wanted):
        raise CommandError(f"name what to {to}: KIND NAME, or KIND/NAME", exitcodes.INVALID)
    return [(one.kind.name, namespace if one.kind.namespaced else "", name) for one in wanted for name in one.names]


def named_by_files(paths: Sequence[Path], namespace: str) -> list[Key]:
    """The keys of all documents; the last first, so that what refers goes before what is referred to.

    namespace: of those that name none. Raises InvalidDocuments.
    """
    return [_key(document, namespace) for document in reversed(read_documents(paths, check=False))]


def _key(document: Document, namespace: str) -> Key:
    kind, own, name = document.key
    return kind, own and str(document.object["metadata"].get("namespace") or namespace), name


def delete_on_cluster(world: "ClusterWorld", keys: Sequence[Key], ignore_missing: bool) -> None:
    """Delete objects, and print each; the cluster's garbage collector removes what they own.

    Raises CommandError (unless `ignore_missing`) for the first that is missing; nothing is deleted then. Raises
    ClusterError.
    """
    if not ignore_missing:
        for kind, namespace, name in keys:
            existing(world, kind_of(kind), namespace, name)
    for kind, namespace, name in keys:
        if world.delete(kind, namespace or None, name):
            print(f'{kind.lower()} "{name}" deleted')


def delete_all(state: Path, keys: Sequence[Key], ignore_missing: bool) -> None:
    """Delete objects with everything that belongs to them, and print each.

    Raises CommandError when an engine runs on the folder, or (unless `ignore_missing`) for the first that is missing;
    nothing is deleted then.
    """
    read = open_store(state)
    present = [key for key in keys if not ignore_missing or read.get(key[0], key[1] or None, key[2])]
    for kind, namespace, name in present:
        existing(read, kind_of(kind), namespace or "default", name)
    if holder := lock_holder(state):
        raise CommandError(
            f"`swiftlet run` works on {state} (process {holder.pid}); stop it with Ctrl-C first, then delete",
            exitcodes.BUSY,
        )
    with StateLock(state):
        end_leftovers(state)
        store = Store(state)
        pods = store.list("Pod")
        for kind, namespace, name in present:
            store.delete(kind, namespace or None, name, grace_seconds=0)
            print(f'{kind.lower()} "{name}" deleted')
        for pod in pods:
            metadata = pod["metadata"]
            if store.get("Pod", metadata["namespace"], metadata["name"]) is None:
                release_shared_memory(pod)
                shutil.rmtree(pod_folder(state, metadata["namespace"], metadata["name"]), ignore_errors=True)
