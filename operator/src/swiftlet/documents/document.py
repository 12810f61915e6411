"""One document and where it came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from swiftlet.api import API_VERSION, KINDS
from swiftlet.api.schema.problems import Location, Problem, Source, field_path

API_VERSIONS: dict[str, str] = {**dict.fromkeys(KINDS, API_VERSION), "ConfigMap": "v1", "Secret": "v1"}
"""Every kind that a document may have, and its apiVersion."""

Key = tuple[str, str, str]
"""Kind, namespace (empty for kinds of the whole cluster) and name."""

DEFAULT_NAMESPACE = "default"


class Use(Enum):
    """What a URI of a document is read as."""

    DATA = "data file"
    MODEL = "model"
    ADAPTER = "adapter"
    KEY = "key file"


@dataclass(frozen=True)
class NamedUri:
    """A URI, or a path, as its author wrote it."""

    at: Location
    use: Use
    text: str


@dataclass(frozen=True)
class Document:
    """An object as its author wrote it (not defaulted), save that local paths are absolute."""

    object: dict[str, Any]
    source: Source
    folder: Path
    """What relative paths are relative to."""
    uris: tuple[NamedUri, ...] = ()
    """Every URI, and the key file of a server, before paths were made absolute."""

    @property
    def kind(self) -> str:
        return str(self.object["kind"])

    @property
    def name(self) -> str:
        return key_of(self.object)[2]

    @property
    def key(self) -> Key:
        return key_of(self.object)

    def problem(self, at: Location, rule: str, remedy: str = "", value: str | None = None) -> Problem:
        """A problem at one field of this document."""
        return Problem(self.source.file, self.source.line(at), field_path(at), value, rule, remedy)


def key_of(item: Mapping[str, Any]) -> Key:
    """The key of an object; an absent namespace is `default`."""
    metadata = item.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    kind, name = str(item.get("kind", "")), str(metadata.get("name", ""))
    clustered = kind in KINDS and KINDS[kind].scope == "Cluster"
    return kind, "" if clustered else str(metadata.get("namespace") or DEFAULT_NAMESPACE), name
