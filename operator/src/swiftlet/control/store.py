"""What the loop works against: the objects as they are known, and the few ways to change them.

A cluster's (`kube.store`) is an API server behind a cache; the local runtime's (`local.objects`) is a folder of files.
"""

from collections.abc import Collection, Iterable
from typing import Protocol

from swiftlet.control.keys import Key, Manifest
from swiftlet.kinds import Event
from swiftlet.kinds.frame.outcome import ObjectRef, Patch
from swiftlet.kinds.frame.reading import Reader

UNASKED = frozenset({0, 401})
"""Codes of errors that say nothing about the object: nobody answered, or whoever asked is not known."""


class StoreError(Exception):
    """The store refused or could not be reached.

    who: what people call it. code: HTTP status, 0 when there was no answer. reason: as in metav1.Status
    (`AlreadyExists`, `Conflict`, ...). retry_after: seconds to wait as it asks for, or None.
    """

    who = "the store"

    def __init__(self, code: int, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.retry_after = retry_after


class View(Reader, Protocol):
    """What one decision sees, and what it would have liked to see."""

    @property
    def watched(self) -> Iterable[Key]:
        """Names that were asked for, and whose change will be seen."""

    @property
    def unwatched(self) -> Collection[Key]:
        """Names that were asked for, and whose change will not be seen by itself."""

    @property
    def missing(self) -> Collection[Key]:
        """Names that have to be looked up before the decision counts."""

    @property
    def hindered(self) -> Collection[Manifest]:
        """Jobs whose controllers should be asked what keeps them from making pods."""


class Store(Protocol):
    """Methods that wait raise StoreError where the store refuses; asking for what is not there is no error."""

    def get(self, key: Key) -> Manifest | None:
        """An object as it is known."""

    # Seeing. `live` has what was looked up during one look: None is a name without an object.

    async def first_seen(self, resource: Manifest) -> dict[Key, Manifest | None]:
        """What a resource without a status will ask for, as far as that has to be looked up."""

    def view(self, resource: Manifest, live: dict[Key, Manifest | None]) -> View:
        """What a decision about `resource` sees."""

    async def completed(self, view: View, live: dict[Key, Manifest | None]) -> bool:
        """Look up what a decision asked for in vain; False when there was nothing left to ask: the decision counts."""

    def doubt(self, keys: Iterable[Key]) -> None:
        """Somebody waits for a change of these: they are looked up anew next time."""

    def pause(self, resource: Key, view: View, asked: float | None) -> float | None:
        """Seconds until the next look, where the decision asked for one in `asked` seconds."""

    # Changing

    def signed(self, manifest: Manifest) -> Manifest:
        """A child as it is to be stored."""

    def digest(self, child: Manifest) -> str:
        """Tells a child (signed) from the same one wanted otherwise."""

    def is_due(self, child: Manifest) -> bool:
        """Whether a child (signed) must be applied."""

    async def apply(self, child: Manifest, live: dict[Key, Manifest | None]) -> bool:
        """Apply a child (signed); False when its name was taken. `live` is told what has the name now, where the next
        decision would not see it otherwise."""

    async def patch(self, patch: Patch) -> None:
        """Change fields of a child, and no others."""

    async def delete(self, reference: ObjectRef) -> None:
        """Delete a child, and what belongs to it."""

    async def report(self, resource: Manifest, status: Manifest) -> bool:
        """Write the status where it differs from that of `resource`; False where it does not.

        Raises StoreError with code 409 when the resource has changed since it was looked at.
        """

    def tell(self, resource: Manifest, event: Event) -> None:
        """Take an Event about a resource. It does not block, and losing one is no error."""

    def forget(self, resource: Key) -> None:
        """A resource is gone, or is going."""
