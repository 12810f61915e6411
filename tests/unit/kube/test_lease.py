"""The Lease of a replica, against an API server that answers, refuses, or hangs."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from swiftlet.kube.client import ApiError
from swiftlet.kube.lease import (
    DURATION_SECONDS,
    GIVE_UP_SECONDS,
    RENEW_SECONDS,
    Candidate,
    Election,
    LeaseLostError,
)

Manifest = dict[str, Any]


class Leases:
    """One Lease in the API server's place. seconds: that an answer takes. hangs: answers do not come. refuses: each
    request is refused."""

    def __init__(self) -> None:
        self.stored: Manifest | None = None
        self.version = 0
        self.seconds = 0.0
        self.hangs = False
        self.refuses: ApiError | None = None

    async def get(self, kind: str, namespace: str | None, name: str) -> Manifest | None:
        await self._reached()
        return self.stored

    async def create(self, manifest: Manifest) -> Manifest:
        await self._reached()
        return self._store(manifest)

    async def patch(self, kind: str, namespace: str | None, name: str, patch: Manifest) -> Manifest:
        await self._reached()
        if self.stored is None:
            raise ApiError(404, "NotFound", "no Lease")
        if patch["metadata"]["resourceVersion"] != self.stored["metadata"]["resourceVersion"]:
            raise ApiError(409, "Conflict", "changed")
        return self._store({**self.stored, "spec": {**self.stored["spec"], **patch["spec"]}})

    def _store(self, manifest: Manifest) -> Manifest:
        self.version += 1
        self.stored = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": str(self.version)}}
        return self.stored

    async def _reached(self) -> None:
        await asyncio.sleep(3600 if self.hangs else self.seconds)
        if self.refuses:
            raise self.refuses


def election(leases: Leases, identity: str = "first") -> Election:
    clock = asyncio.get_running_loop().time
    return Election(leases, Candidate("home", "it", identity), lambda: datetime.now(UTC), clock)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", ["hangs", "refuses", "throttles", "has no credentials"])
def test_a_holder_that_cannot_renew_may_write_no_more_and_ends(how: str, in_virtual_time: Any) -> None:
    refusals = {
        "refuses": ApiError(403, "Forbidden", "no"),
        "throttles": ApiError(429, "TooManyRequests", "later", 1.0),
        "has no credentials": ApiError(0, "NoCredentials", "the plugin failed"),
    }

    async def scenario() -> float:
        leases = Leases()
        held = election(leases)
        await held.acquire()
        began = asyncio.get_running_loop().time()
        leases.hangs, leases.refuses = how == "hangs", refusals.get(how)
        with pytest.raises(LeaseLostError):
            await held.hold()
        assert held.write_seconds <= 0
        return asyncio.get_running_loop().time() - began

    took = in_virtual_time(scenario())
    assert GIVE_UP_SECONDS <= took < DURATION_SECONDS, "before another one may take it"


def test_a_refusal_in_between_loses_nothing(in_virtual_time: Any) -> None:
    async def scenario() -> None:
        leases = Leases()
        held = election(leases)
        await held.acquire()
        holding = asyncio.create_task(held.hold())
        for _ in range(4):
            leases.refuses = ApiError(429, "TooManyRequests", "later")
            await asyncio.sleep(2 * RENEW_SECONDS)
            leases.refuses = None
            await asyncio.sleep(2 * RENEW_SECONDS)
        assert held.is_leader
        assert not holding.done()
        holding.cancel()

    in_virtual_time(scenario())


def test_the_time_to_write_is_counted_from_the_beginning_of_the_renewal(in_virtual_time: Any) -> None:
    async def scenario() -> None:
        leases = Leases()
        leases.seconds = 1.0
        held = election(leases)
        assert held.write_seconds == 0
        await held.acquire()
        assert held.write_seconds == pytest.approx(GIVE_UP_SECONDS - 2)
        await asyncio.sleep(GIVE_UP_SECONDS - 1)
        assert held.write_seconds == pytest.approx(-1)
        assert not held.is_leader

    in_virtual_time(scenario())
