"""Crowds at the ports: what they cost, and that others are served meanwhile."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, TCPConnector, web
from swiftlet.observability.connection_gate import Limits
from swiftlet.observability.server import HttpServer

from .conftest import claims_document, signed

REPORT = [{"time": "2026-01-01T12:00:00Z", "step": 3, "totalSteps": 9}]


async def _flood(url: str, address: str, tokens: list[str]) -> Counter[int]:
    """Post with each token from an address of the loopback network; the answers."""
    answers: Counter[int] = Counter()
    async with ClientSession(connector=TCPConnector(local_addr=(address, 0), limit=8)) as session:

        async def post(token: str) -> None:
            headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "10.9.9.9"}
            async with session.post(f"{url}/progress", json=REPORT, headers=headers) as answer:
                answers[answer.status] += 1

        await asyncio.gather(*(post(token) for token in tokens))
    return answers


def test_floods_of_bad_tokens_cost_few_questions_and_do_not_hinder_a_good_pod(serve: Any, cluster: Any) -> None:
    good = cluster.add("bird-0", "bird")
    forged = [signed(claims_document("bird-0"), f"forged-{number}") for number in range(60)]
    strangers = [signed(claims_document(f"stranger-{number}")) for number in range(60)]
    garbage = [signed(b"garbage", str(number)) for number in range(60)]
    cluster.seconds = 0.05

    async def scenario(endpoint: Any) -> None:
        began = time.monotonic()
        floods = [
            asyncio.create_task(_flood(endpoint.url, f"127.0.0.{host}", tokens))
            for host, tokens in enumerate([forged, forged, strangers, garbage], 2)
        ]
        for _ in range(10):
            status, *_ = await endpoint.post(REPORT, good)
            assert status == 200
            await asyncio.sleep(0.05)
        by_forgers, _, by_strangers, by_garbage = await asyncio.gather(*floods)
        seconds = time.monotonic() - began
        assert set(by_forgers) <= {401, 429}
        assert set(by_strangers) <= {403, 429}
        assert by_strangers[403] <= 21 + seconds
        assert by_garbage == {401: 60}
        assert len(cluster.asked) <= 2 * (21 + seconds) + 1

    serve(scenario)


def test_what_is_not_of_ours_is_never_asked_about(serve: Any, cluster: Any) -> None:
    """Whatever labels it wears: nothing of ours controls it."""
    cluster.add("bird-0", "bird")
    stranger = signed(claims_document("stranger"))
    labels = {"swiftlet.dev/owner-uid": "uid-bird", "swiftlet.dev/kind": "FineTuneJob", "swiftlet.dev/name": "bird"}
    cluster.objects["Pod", "team", "stranger"] = {
        "kind": "Pod",
        "metadata": {"name": "stranger", "namespace": "team", "uid": "uid-of-stranger", "labels": labels},
    }

    async def scenario(endpoint: Any) -> None:
        status, answer, _ = await endpoint.post(REPORT, stranger)
        assert status == 403 and "no resource of its namespace" in answer["error"]
        assert cluster.asked == []

    serve(scenario)


# Connections


@asynccontextmanager
async def served(limits: Limits) -> AsyncIterator[int]:
    """A server that answers at once; its port."""
    app = web.Application()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app.router.add_get("/", answer)
    server = HttpServer(app, limits, "127.0.0.1", 0)
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


async def _hold(port: int, address: str, said: bytes = b"GET / HTTP/1.1\r\nX: ") -> asyncio.StreamReader:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    writer.write(said)
    reader.writer = writer  # type: ignore[attr-defined] - kept open
    return reader


async def _get(port: int, address: str) -> int | None:
    """The status of a request, or None when the connection is not served."""
    async with ClientSession(connector=TCPConnector(local_addr=(address, 0))) as session:
        try:
            async with session.get(f"http://127.0.0.1:{port}/") as response:
                return response.status
        except ClientError:
            return None


async def _are_open(readers: list[asyncio.StreamReader], count: int) -> bool:
    """Whether so many come to be open, and stay so."""

    def open_now() -> int:
        return sum(not reader._eof and reader.exception() is None for reader in readers)  # type: ignore[attr-defined]

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(20):
            while open_now() != count:
                await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    return open_now() == count


def test_an_address_holds_so_many_connections_and_no_more() -> None:
    async def scenario() -> None:
        async with served(Limits(connections=20, of_address=5)) as port:
            held = [await _hold(port, "127.0.0.2") for _ in range(12)]
            assert await _are_open(held, 5)
            assert await _get(port, "127.0.0.2") is None
            assert await _get(port, "127.0.0.3") == 200

    asyncio.run(scenario())


def test_when_all_places_are_taken_the_greediest_gives_one_up() -> None:
    async def scenario() -> None:
        async with served(Limits(connections=12, of_address=6)) as port:
            held = [await _hold(port, f"127.0.0.{host}") for host in (2, 3) for _ in range(6)]
            assert await _are_open(held, 12)
            calm = await _hold(port, "127.0.0.4")
            assert await _get(port, "127.0.0.5") == 200
            assert await _are_open(held, 10)
            assert await _are_open([calm], 1)

    asyncio.run(scenario())


@pytest.mark.parametrize("said", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\x00\xff" * 10])
def test_who_sends_slowly_or_nothing_is_closed(said: bytes) -> None:
    async def scenario() -> None:
        async with served(Limits(connections=12, of_address=6, seconds=1)) as port:
            held = [await _hold(port, "127.0.0.2", said) for _ in range(6)]
            assert await _are_open(held, 0)
            assert await _get(port, "127.0.0.2") == 200

    asyncio.run(scenario())


def test_places_come_back() -> None:
    async def scenario() -> None:
        async with served(Limits(connections=3, of_address=2)) as port:
            for _ in range(20):
                assert await _get(port, "127.0.0.2") == 200

    asyncio.run(scenario())
