"""Deleting resources of a state folder on which no engine runs."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from swiftlet.cli import exitcodes
from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.listing import selection
from swiftlet.cli.reading.resourcekinds import kind_of
from swiftlet.cli.reading.statefolder import existing, open_store
from swiftlet.documents import read_documents
from swiftlet.documents.document import Key
from swiftlet.local.leftovers import end_leftovers
from swiftlet.local.lock import StateLock, lock_holder
from swiftlet.local.logs import pod_folder
from swiftlet.local.store import Store
from swiftlet.local.volumes import release_shared_memory


def named_by_arguments(words: Sequence[str], namespace: str) -> list[Key]:
    """The keys of `KIND NAME...` or `KIND/NAME...`. Raises CommandError."""
    wanted = selection(words[0], words[1:])
    if any(not one.names for one in wanted):
        raise CommandError("name what to delete: KIND NAME, or KIND/NAME", exitcodes.INVALID)
    return [(one.kind.name, namespace if one.kind.namespaced else "", name) for one in wanted for name in one.names]


def named_by_files(paths: Sequence[Path]) -> list[Key]:
    """The keys of all documents; the last first, so that what refers goes before what is referred to.

    Raises InvalidDocuments.
    """
    return [document.key for document in reversed(read_documents(paths, check=False))]


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
