"""What a look is on this machine: the loop's own at a resource, and a controller's at a Job or Deployment."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from swiftlet.control.dependents import Dependents
from swiftlet.control.keys import Key, Manifest
from swiftlet.control.reconciling import Look, Reconciling, UnsettledError
from swiftlet.control.status_pace import StatusPace
from swiftlet.kinds import Capabilities, Reconciler
from swiftlet.local.controllers import CONTROLLERS, run_controller, tell_stopped
from swiftlet.local.node import Node
from swiftlet.local.objects import LocalStore
from swiftlet.local.store import key_of

AT_ONCE = (0.0, 0.0)
"""A status costs one small file here, and somebody sits before it."""


class LocalLooks:
    """Looks at what is in scope (`control.controller.Looks`)."""

    def __init__(
        self,
        node: Node,
        objects: LocalStore,
        capabilities: Capabilities,
        reconcilers: Mapping[str, Reconciler],
        in_scope: Callable[[Manifest], bool],
    ) -> None:
        self._node, self._kinds, self._in_scope = node, [*CONTROLLERS, *reconcilers], in_scope
        self._reconciling = Reconciling(objects, capabilities, _now, reconcilers, StatusPace(pauses=AT_ONCE))

    @property
    def dependents(self) -> Dependents:
        """Who asked for whom."""
        return self._reconciling.dependents

    async def look_at(self, key: Key) -> Look:
        """Look at one object, and do what is to be done. Raises what the disk, a controller or a reconciler raises."""
        stored = self._node.store.get(*key)
        if stored is not None and not self._in_scope(stored):
            return Look("unchanged")
        if key[0] in CONTROLLERS:
            return Look("written", run_controller(key, self._node.store, self._node, _now()))
        try:
            return await self._reconciling.look_at(key)
        except UnsettledError as error:
            # Nobody else writes here, so it is no race that the next look would end: somebody has to hear of it.
            raise RuntimeError(f"the reconciler is at fault: {error}") from error

    async def tell_stopped(self, items: Iterable[Manifest], on_error: Callable[[Key, Exception], None]) -> None:
        """Write what is true of objects whose pods have ended; nothing is made, since nobody would run it."""
        found = [item for item in items if item["kind"] in self._kinds]
        for key in map(key_of, sorted(found, key=lambda item: self._kinds.index(item["kind"]))):
            try:
                if key[0] in CONTROLLERS:
                    tell_stopped(key, self._node.store, _now())
                else:
                    await self._reconciling.tell_only(key)
            except Exception as error:
                on_error(key, error)


def _now() -> datetime:
    return datetime.now(UTC)
