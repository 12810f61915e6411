"""The bounds of a body, as a client on a real connection meets them."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest
from swiftlet.wire.messages import PROGRESS_BODY_LIMIT

NOW = "2026-01-01T12:00:00Z"


async def endless() -> AsyncIterator[bytes]:
    """A body without a Content-Length."""
    for _ in range(100):
        yield b" " * 4096


def test_an_oversized_body(serve: Any, cluster: Any) -> None:
    token = cluster.add("bird-0", "bird")

    async def scenario(endpoint: Any) -> None:
        for body in (b" " * (PROGRESS_BODY_LIMIT + 1), endless()):
            status, answer, _ = await endpoint.post(body, token)
            assert status == 413
            assert f"larger than {PROGRESS_BODY_LIMIT} bytes" in answer["error"]
        assert endpoint.board.of("uid-bird") is None

    serve(scenario)


def test_the_largest_body(serve: Any, cluster: Any) -> None:
    token = cluster.add("bird-0", "bird")
    body = f'[{{"time": "{NOW}", "step": 1}}]'.encode()

    async def scenario(endpoint: Any) -> None:
        status, *_ = await endpoint.post(body.ljust(PROGRESS_BODY_LIMIT), token)
        assert status == 200

    serve(scenario)


def test_a_compressed_body_is_not_unpacked(serve: Any, cluster: Any) -> None:
    token = cluster.add("bird-0", "bird")

    async def scenario(endpoint: Any) -> None:
        bomb = gzip.compress(b" " * 10_000_000)
        status, answer, _ = await endpoint.post(bomb, token, headers={"Content-Encoding": "gzip"})
        assert status == 415
        assert "uncompressed" in answer["error"]

    serve(scenario)


def test_a_body_that_does_not_arrive(serve: Any, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swiftlet.observability.server_body.bounded_body.__defaults__", (PROGRESS_BODY_LIMIT, 0.2))
    token = cluster.add("bird-0", "bird")

    async def slow() -> AsyncIterator[bytes]:
        yield b"["
        await asyncio.sleep(5)
        yield b"]"

    async def scenario(endpoint: Any) -> None:
        status, answer, _ = await endpoint.post(slow(), token)
        assert status == 408
        assert "0.2 s" in answer["error"]

    serve(scenario)
