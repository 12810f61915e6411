"""Which keys are looked at after what."""

import asyncio
import time
from typing import Any

from swiftlet.kube.cache import Cache, Key
from swiftlet.kube.controller import Controller
from swiftlet.kube.dependents import Dependents
from swiftlet.kube.reconciling import Look

RUN: Key = ("EvalRun", "team", "bird")
SERVER: Key = ("ModelDeployment", "team", "bird")


def _object(key: Key, version: int) -> dict[str, Any]:
    kind, namespace, name = key
    metadata = {"name": name, "namespace": namespace, "uid": f"{kind}-uid", "resourceVersion": str(version)}
    return {"apiVersion": "swiftlet.dev/v1alpha1", "kind": kind, "metadata": metadata}


class Writing:
    """A look at the EvalRun writes its status, and the cache has what the API server answered before the watch does."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self.dependents = Dependents()
        self.served = asyncio.Event()
        self.written = asyncio.Event()
        self.served_after = asyncio.Event()

    async def look_at(self, key: Key) -> Look:
        if key == SERVER:
            self.served.set()
            if self.written.is_set():
                self.served_after.set()
            return Look("unchanged")
        if self.written.is_set():
            return Look("unchanged")
        await self.served.wait()  # the change that began this look has woken the server as well: too early
        self._cache.put(_object(RUN, 2))
        self.written.set()
        return Look("written", first_write=time.monotonic())


def test_what_depends_on_a_resource_is_woken_by_our_own_write_of_its_status() -> None:
    """The watch tells nothing new then: the cache has had the object since the API server's answer."""

    async def scenario() -> None:
        cache = Cache()
        writing = Writing(cache)
        controller = Controller(cache, writing)  # type: ignore[arg-type]
        writing.dependents.record(SERVER, [RUN])
        controller.start(2)
        controller.seen(_object(RUN, 1))
        async with asyncio.timeout(60):
            await writing.written.wait()
            assert not controller.seen(_object(RUN, 2))
            await writing.served_after.wait()
        await controller.drain(1)

    asyncio.run(scenario())
