"""The few calls to the API server that the operator needs. Objects are plain documents, as in YAML.

Nothing here reads an object to write it back: children are applied, statuses are patched, so that fields of other
writers survive.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple, Protocol

from swiftlet.control.store import StoreError

FIELD_MANAGER = "swiftlet"
"""Who the operator is in managedFields."""

Manifest = dict[str, Any]


class Listed(NamedTuple):
    """An object of a list, read no further than to here: nearly all that is listed is known already."""

    namespace: str
    """Empty for a cluster-scoped object."""
    name: str
    version: int
    """metadata.resourceVersion."""
    read: Callable[[], Manifest]
    """The whole object, with apiVersion and kind filled in."""


class Page(NamedTuple):
    """A part of a list. `version`: resourceVersion of the whole list, the same for each part."""

    items: list[Listed]
    version: int


class Watched(NamedTuple):
    """One event of a watch. `item` is None for a bookmark, which tells a version alone."""

    type: str
    """ADDED, MODIFIED, DELETED or BOOKMARK."""
    version: int
    item: Listed | None


class ApiError(StoreError):
    """The API server refused or could not be reached."""

    who = "the API server"


class KubeClient(Protocol):
    """All methods raise ApiError; asking for one object that is not there is no error but None."""

    async def get(self, kind: str, namespace: str | None, name: str) -> Manifest | None:
        """One object, or None."""

    def list(
        self,
        kind: str,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> AsyncIterator[Page]:
        """All objects of a kind (in a namespace, or everywhere) in parts."""

    def watch(
        self, kind: str, namespace: str | None, label_selector: str | None, version: int
    ) -> AsyncIterator[Watched]:
        """What changes after `version`, until the server ends the stream. ApiError 410: the version is too old."""

    async def served(self, api_version: str) -> set[str]:
        """The kinds that are served of a group and version; empty where nobody knows the group."""

    async def apply(self, manifest: Manifest, create_only: bool = False) -> Manifest:
        """Server-side apply, by force. Returns the object as stored.

        create_only: raises ApiError (code 409) when the object exists already, whoever made it.
        """

    async def create(self, manifest: Manifest) -> Manifest:
        """Create an object. Raises ApiError with reason AlreadyExists."""

    async def patch(self, kind: str, namespace: str | None, name: str, patch: Manifest) -> Manifest:
        """JSON merge patch of an object. A metadata.resourceVersion in it must still be the stored one (else 409)."""

    async def patch_status(self, kind: str, namespace: str | None, name: str, patch: Manifest) -> Manifest:
        """JSON merge patch of an object's status."""

    async def delete(self, kind: str, namespace: str | None, name: str, uid: str) -> None:
        """Delete the very object with this uid and, in the background, what it owns. It may be gone already.

        A Job stays until its pods are gone, so that the next one of its name does not run beside them.
        """
