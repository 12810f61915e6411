"""Which keys are looked at after what."""

import asyncio
import time
from typing import Any

import pytest
from swiftlet.control.controller import Controller
from swiftlet.control.dependents import Dependents
from swiftlet.control.keys import Key
from swiftlet.control.reconciling import Look
from swiftlet.kube.cache import Cache
from swiftlet.kube.client import ApiError
from swiftlet.kube.following import Following

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
        controller = Controller(writing)
        following = Following(cache, controller)
        writing.dependents.record(SERVER, [RUN])
        controller.start(2)
        following.seen(_object(RUN, 1))
        async with asyncio.timeout(60):
            await writing.written.wait()
            assert not following.seen(_object(RUN, 2))
            await writing.served_after.wait()
        await controller.drain(1)

    asyncio.run(scenario())


def test_a_kind_that_is_only_read_is_not_looked_at_but_wakes_whoever_asked_for_it() -> None:
    """A look at a ComputeProfile would find no reconciler, and be tried again for ever."""

    class Looking:
        def __init__(self) -> None:
            self.dependents, self.looked = Dependents(), list[Key]()

        async def look_at(self, key: Key) -> Look:
            self.looked.append(key)
            return Look("unchanged")

    async def scenario() -> list[Key]:
        looks = Looking()
        controller = Controller(looks)
        profile: Key = ("ComputeProfile", "", "gpus")
        looks.dependents.record(RUN, [profile])
        controller.start(1)
        Following(Cache(), controller).seen(_object(profile, 1))
        async with asyncio.timeout(60):
            while not controller.queue.idle():
                await asyncio.sleep(0.01)
        await controller.drain(1)
        return looks.looked

    assert asyncio.run(scenario()) == [RUN]


def test_the_log_says_who_has_refused(caplog: pytest.LogCaptureFixture) -> None:
    class Refused:
        dependents = Dependents()

        async def look_at(self, key: Key) -> Look:
            raise ApiError(403, "Forbidden", "no such right")

    async def scenario() -> None:
        controller = Controller(Refused())
        controller.start(1)
        controller.queue.add(RUN)
        async with asyncio.timeout(60):
            while not caplog.messages:
                await asyncio.sleep(0.01)
        await controller.drain(1)

    asyncio.run(scenario())
    assert caplog.messages[0].startswith("the API server refused (403 Forbidden): no such right; again in ")
