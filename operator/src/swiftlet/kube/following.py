"""From what is seen of the cluster to the cache, and to the keys that want a look."""

from collections.abc import Callable

from swiftlet.control.controller import Controller
from swiftlet.control.keys import Key, Manifest, key_of
from swiftlet.control.queue import Lane
from swiftlet.kinds import RECONCILERS
from swiftlet.kube.cache import Cache


class Following:
    """Everything that lists and watches tell goes through here."""

    def __init__(
        self,
        cache: Cache,
        controller: Controller,
        on_gone: Callable[[str], None] = lambda uid: None,
        forget_child: Callable[[Key], None] = lambda child: None,
    ) -> None:
        """on_gone: told the uid of a resource that was deleted. forget_child: told of any other object that was."""
        self.cache, self._controller = cache, controller
        self._on_gone, self._forget_child = on_gone, forget_child

    def seen(self, manifest: Manifest) -> bool:
        """An object is there like this; False when that is no news."""
        if not self.cache.put(manifest):
            return False
        self._wake(manifest)
        return True

    def seen_gone(self, manifest: Manifest) -> bool:
        """An object was deleted; False when that is no news."""
        if not self.cache.remove(manifest):
            self._forget(manifest)  # the API server may have said so before the watch did
            return False
        self.dropped(manifest)
        return True

    def dropped(self, manifest: Manifest) -> None:
        """An object is no longer in the cache."""
        self._forget(manifest)
        self._wake(manifest)

    def progressed(self, uid: str) -> None:
        """Pods of a resource have reported something that is worth a look."""
        key = self.cache.resource(uid)
        if key is not None:
            self._controller.queue.add(key, Lane.PROGRESS)

    def wake_all(self, kind: str) -> None:
        """Look at all resources of a kind."""
        for key in self.cache.keys(kind):
            self._controller.queue.add(key)

    def _wake(self, manifest: Manifest) -> None:
        self._controller.wake(key_of(manifest), self.cache.resource_of(manifest))

    def _forget(self, manifest: Manifest) -> None:
        if manifest["kind"] in RECONCILERS:
            self._on_gone(manifest["metadata"]["uid"])
        elif self.cache.uid(key_of(manifest)) is None:
            self._forget_child(key_of(manifest))
