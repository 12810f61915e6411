"""Where objects are kept, as those commands see it that read them: a state folder or a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

Object = dict[str, Any]
Documents = list[Object]


class Line(NamedTuple):
    """One line of a log and where it comes from. time: RFC 3339, UTC, nanoseconds."""

    time: str
    pod: str
    container: str
    text: str


@dataclass(frozen=True)
class Choice:
    """Which logs are wanted. `container` None: every container. `previous`: the run before the last one."""

    container: str | None = None
    previous: bool = False
    all_pods: bool = False


class LineReader(Protocol):
    """Reads logs, each from where it stopped."""

    def new_lines(self, pods: Sequence[Object], choice: Choice) -> list[Line]:
        """Complete lines that were written since the last call, ordered by time."""


class World(Protocol):
    """Objects and logs. `LeftStore` and `ClusterWorld` are the two."""

    namespace: str
    """Where is looked when no namespace is named."""
    pause: float
    """Seconds between two looks of who waits for a change."""

    @property
    def folder(self) -> Path | None:
        """The state folder on this machine; None: files lie on a cluster's volumes."""

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """The object, or None."""

    def list(self, kind: str, namespace: str | None = None, labels: dict[str, str] | None = None) -> Documents:
        """Objects by kind, namespace and equal labels (None: any), ordered by namespace and name."""

    def descendants(self, namespace: str, uid: str) -> Documents:
        """What an object controls, and what that controls in turn."""

    def events(self, kind: str | None = None, namespace: str | None = None, name: str | None = None) -> Documents:
        """Events about an object (None: any), oldest last occurrence first."""

    def check_namespace(self, namespace: str) -> None:
        """Raise what tells a person that there is no such namespace. Where nothing is found, somebody asks."""

    def is_at_work(self) -> bool:
        """Whether anything may still change by itself."""

    def lines(self, namespace: str, tail: int | None = None, since: datetime | None = None) -> LineReader:
        """A reader of the logs of a namespace's pods that has read nothing. tail, since: what is wanted of what is
        there already; it may give more."""
