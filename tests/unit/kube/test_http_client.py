"""Who may write, and as whom: requests against a server on loopback."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from lightkube import KubeConfig
from lightkube.config.kubeconfig import SingleConfig
from swiftlet.kube.client import ApiError
from swiftlet.kube.http_client import HttpClient


@dataclass
class Api:
    """Answers every request in the API server's place, when it may, and notes it."""

    may_answer: asyncio.Event | None = None
    body: bytes = b'{"metadata": {"resourceVersion": "2"}}'
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    cut_off: asyncio.Event = field(default_factory=asyncio.Event)
    """A client has left before its answer."""

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append((request.method, request.headers.get("Authorization")))
        try:
            if self.may_answer is not None:
                await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cut_off.set()
            raise
        return web.Response(body=self.body, content_type="application/json")


PLUGIN = """#!/bin/sh
echo fetched >> {folder}/fetched
sleep 0.2
test ! -e {folder}/broken || exit 1
echo '{{"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential", "status": {{"token": "good"}}}}'
"""


def access(url: str, folder: Path | None = None) -> SingleConfig:
    """A cluster at `url`; with a folder, credentials come from a plugin that takes a moment."""
    user: dict[str, Any] = {}
    if folder is not None:
        plugin = folder / "plugin"
        plugin.write_text(PLUGIN.format(folder=folder))
        plugin.chmod(0o755)
        api_version = "client.authentication.k8s.io/v1beta1"
        user = {"exec": {"apiVersion": api_version, "command": str(plugin), "interactiveMode": "Never"}}
    config = {
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    found = KubeConfig.from_dict(config).get()
    assert found is not None
    return found


@asynccontextmanager
async def serving(api: Api) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def test_the_right_to_write_is_asked_for_when_the_write_is_sent_and_not_before_it_waits() -> None:
    async def scenario() -> None:
        may_answer, left = asyncio.Event(), [math.inf]
        api = Api(may_answer)
        async with serving(api) as url, HttpClient(access(url), write_seconds=lambda: left[0], connections=1) as client:
            reading = asyncio.create_task(client.get("Pod", "team", "a"))
            async with asyncio.timeout(20):
                while not api.seen:
                    await asyncio.sleep(0.01)
            writing = asyncio.create_task(client.patch("Pod", "team", "a", {}))
            await asyncio.sleep(0.05)
            left[0] = 0.0  # the Lease is lost while the write waits for its turn
            may_answer.set()
            await reading
            with pytest.raises(ApiError, match="another replica may lead") as refused:
                await writing
            assert refused.value.reason == "NotLeader"
            assert [method for method, _ in api.seen] == ["GET"]

    asyncio.run(scenario())


@pytest.mark.parametrize("verb", ["patch", "apply", "create", "delete", "patch_status"])
def test_a_write_that_is_under_way_is_given_up_when_the_time_to_write_is_over(verb: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "team"}}

    async def scenario() -> None:
        api = Api(asyncio.Event())
        async with serving(api) as url, HttpClient(access(url), write_seconds=lambda: 1.0) as client:
            write = {
                "apply": lambda: client.apply(manifest),
                "create": lambda: client.create(manifest),
                "delete": lambda: client.delete("Service", "team", "a", "uid"),
                "patch": lambda: client.patch("Service", "team", "a", {}),
                "patch_status": lambda: client.patch_status("FineTuneJob", "team", "a", {}),
            }[verb]
            with pytest.raises(ApiError):
                await write()
            async with asyncio.timeout(20):
                await api.cut_off.wait()
            assert len(api.seen) == 1

    asyncio.run(scenario())


def test_no_request_goes_out_without_a_token_while_one_is_being_fetched(tmp_path: Path) -> None:
    async def scenario() -> None:
        api = Api()
        async with serving(api) as url, HttpClient(access(url, tmp_path)) as client:
            await asyncio.gather(*(client.get("Pod", "team", str(number)) for number in range(10)))
        assert {token for _, token in api.seen} == {"Bearer good"}
        assert (tmp_path / "fetched").read_text().count("fetched") == 1

    asyncio.run(scenario())


def test_credentials_that_cannot_be_had_are_an_error_like_others_and_are_asked_for_again(tmp_path: Path) -> None:
    """What waits for its next try, such as the renewal of the Lease, goes on."""

    async def scenario() -> None:
        api = Api()
        (tmp_path / "broken").touch()
        async with serving(api) as url, HttpClient(access(url, tmp_path)) as client:
            with pytest.raises(ApiError) as refused:
                await client.get("Lease", "team", "a")
            assert refused.value.reason == "NoCredentials"
            assert api.seen == []
            (tmp_path / "broken").unlink()
            assert await client.get("Lease", "team", "a") is not None

    asyncio.run(scenario())


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"", b"\xff", b"{"])
def test_an_answer_that_is_not_the_api_servers_is_no_answer(body: bytes) -> None:
    async def scenario() -> None:
        async with serving(Api(body=body)) as url, HttpClient(access(url)) as client:
            with pytest.raises(ApiError, match="none of the API server's"):
                await client.get("Lease", "team", "a")
            with pytest.raises(ApiError, match="none of the API server's"):
                async for _ in client.list("Pod"):
                    pass

    asyncio.run(scenario())
