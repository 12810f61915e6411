"""What was made of each version of a resource: a question costs little for what has not changed since the last."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from swiftlet.control.keys import Key
from swiftlet.kube.cache import Cache

Made = TypeVar("Made")


class Remembered(Generic[Made]):
    """`make` of each resource of the cache, made anew when its version is another."""

    def __init__(self, cache: Cache, make: Callable[[dict[str, Any]], Made]) -> None:
        self._cache, self._make = cache, make
        self._known: dict[str, dict[Key, tuple[int | None, Made]]] = {}

    def of(self, kind: str) -> Iterator[Made]:
        """All of a kind. What is gone is forgotten."""
        before = self._known.get(kind, {})
        now = self._known[kind] = {}
        for key in self._cache.keys(kind):
            version = self._cache.version(key)
            found = before.get(key)
            if found is None or found[0] != version:
                found = version, self._make(self._cache.get(key) or {})
            now[key] = found
            yield found[1]
