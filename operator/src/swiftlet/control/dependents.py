"""Who looked up whom, so that a change of an object wakes those that decided by it.

Derived from what reconcilers ask for, so it needs no rule of its own for each kind of reference; it is in memory only,
since the first look at every resource after a start fills it.
"""

from collections.abc import Iterable

from swiftlet.control.keys import Key


class Dependents:
    """The looked-up objects of each resource, and the other way round."""

    def __init__(self) -> None:
        self._looked: dict[Key, frozenset[Key]] = {}
        self._by: dict[Key, set[Key]] = {}

    def record(self, resource: Key, looked: Iterable[Key]) -> None:
        """`resource` looked these up the last time, found or not."""
        now = frozenset(looked) - {resource}
        before = self._looked.get(resource, frozenset())
        if now == before:
            return
        for gone in before - now:
            self._by[gone].discard(resource)
            if not self._by[gone]:
                del self._by[gone]
        for new in now - before:
            self._by.setdefault(new, set()).add(resource)
        if now:
            self._looked[resource] = now
        else:
            self._looked.pop(resource, None)

    def of(self, key: Key) -> tuple[Key, ...]:
        """The resources that looked `key` up."""
        return tuple(self._by.get(key, ()))

    def forget(self, resource: Key) -> None:
        """The resource is gone."""
        self.record(resource, ())
