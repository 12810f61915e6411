"""Objects that are looked up one at a time because the operator does not watch them: users' ConfigMaps and claims."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from swiftlet.control.keys import Key
from swiftlet.kube.client import ApiError, KubeClient

Manifest = dict[str, Any]

FRESH_SECONDS = 30.0
"""How long an object that was found is believed to be there as it was. Many jobs name the same claim; a claim that goes
away meanwhile is told by the pods that mount it."""


OF_OTHERS = frozenset({"Workload"})
"""Kinds of other projects: they may not be there, or not be ours to read, and change without our being told."""


class LiveLookups:
    """Looks up objects, each at most once at a time, and remembers for a while what it found (never that it did not).

    Only the names of a ConfigMap's keys are remembered, since data may be large and is none of the operator's business.
    """

    def __init__(self, client: KubeClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._clock = client, clock
        self._found: dict[Key, tuple[float, Manifest]] = {}
        self._asking: dict[Key, asyncio.Task[Manifest | None]] = {}

    def fresh(self, key: Key) -> Manifest | None:
        """What was found lately, or None."""
        since, manifest = self._found.get(key, (0.0, None))
        return manifest if manifest is not None and self._clock() - since < FRESH_SECONDS else None

    def doubt(self, keys: Iterable[Key]) -> None:
        """Somebody waits for a change of these: the next look is at the API server."""
        for key in keys:
            self._found.pop(key, None)

    async def look(self, key: Key) -> Manifest | None:
        """The object as it is now, or None when there is none. Raises ApiError."""
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        # Others wait for the same answer: one that is cancelled must not take it from them.
        return await asyncio.shield(task)

    async def _ask(self, key: Key) -> Manifest | None:
        kind, namespace, name = key
        if kind in OF_OTHERS:
            return await self._ask_if_possible(key)
        found = await self._client.get(kind, namespace or None, name)
        self._forget_old()
        if found is None:
            self._found.pop(key, None)
            return None
        self._found[key] = self._clock(), _outline(found)
        return self._found[key][1]

    async def _ask_if_possible(self, key: Key) -> Manifest | None:
        """The object as it is now, never remembered; None also when the API server refuses to show it."""
        try:
            found = await self._client.get(key[0], key[1], key[2])
        except ApiError as error:
            if error.code == 0:
                raise
            return None
        return None if found is None else _outline(found)

    def _forget_old(self) -> None:
        """The dictionary is in the order of its times, so the old ones stand first."""
        horizon = self._clock() - FRESH_SECONDS
        while self._found and next(iter(self._found.values()))[0] < horizon:
            del self._found[next(iter(self._found))]


def _outline(manifest: Manifest) -> Manifest:
    """The object without what nobody reads."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name != "managedFields"}
    outline = {**manifest, "metadata": metadata}
    if manifest["kind"] == "ConfigMap":
        for part in ("data", "binaryData"):
            if part in manifest:
                outline[part] = dict.fromkeys(manifest[part] or {}, "")
    return outline
