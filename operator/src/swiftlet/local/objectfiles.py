"""Stored objects as JSON files, one for each; whose their fields are is in metadata.managedFields, as in a cluster."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftlet.control.keys import Key
from swiftlet.local.files import TEMPORARY_PREFIX, write_atomically
from swiftlet.local.merge import FieldSet


@dataclass
class Stored:
    """An object, and whose its fields are."""

    object: dict[str, Any]
    owned: dict[str, FieldSet]
    """Fields by applier."""


class ObjectFiles:
    """The files below `folder`: a folder for each kind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, key: Key, stored: Stored) -> None:
        """Write an object, readable by its owner alone where it is a Secret. Raises StorageError."""
        managers = [
            {"manager": manager, "operation": "Apply", "fieldsV1": fields} for manager, fields in stored.owned.items()
        ]
        document = {**stored.object, "metadata": {**stored.object["metadata"], "managedFields": managers}}
        mode = 0o600 if key[0] == "Secret" else 0o644
        write_atomically(self._path(key), (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode(), mode)

    def remove(self, key: Key) -> None:
        """Remove the file, if it is there."""
        self._path(key).unlink(missing_ok=True)

    def read(self, key: Key) -> Stored | None:
        """An object as it is stored now, or None."""
        return _read(self._path(key))

    def read_all(self, kind: str = "*") -> Iterator[Stored]:
        """All objects of a kind, in the order of their files' names."""
        for path in sorted(self._folder.glob(f"{kind}/*.json")):
            if not path.name.startswith(TEMPORARY_PREFIX) and (stored := _read(path)) is not None:
                yield stored

    def _path(self, key: Key) -> Path:
        kind, namespace, name = key
        return self._folder / kind / f"{namespace}__{name}.json"


def _read(path: Path) -> Stored | None:
    with suppress(FileNotFoundError):
        document = json.loads(path.read_bytes())
        managers = document["metadata"].pop("managedFields", [])
        return Stored(document, {manager["manager"]: manager["fieldsV1"] for manager in managers})
    return None
