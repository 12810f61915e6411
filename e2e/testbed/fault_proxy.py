"""A proxy in front of a real API server that does what networks, load balancers and busy servers do.

    with FaultProxy(control_plane.kubeconfig, folder) as proxy:
        proxy.add(Fault(Refuse(429, "TooManyRequests", retry_after=1), verb="apply", resource="jobs"))
        operator(proxy.kubeconfig)

Plain HTTP on loopback to the client; to the API server as the user of the kubeconfig that it was given.
"""

import asyncio
import base64
import json
import ssl
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from testbed.faults import Act, Call, Delay, Drop, EndWatch, Fault, Hold, Refuse, call_of

_HOP = frozenset({"connection", "host", "transfer-encoding", "content-length", "accept-encoding", "authorization"})
_GONE = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "too old resource version: 1 (2)",
    "reason": "Expired",
    "code": 410,
}


class _TornError(Exception):
    """The connection to the client is to be closed now."""


class FaultProxy:
    """A running proxy. Its methods may be called from any thread."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        """kubeconfig: who it is to the API server (a client certificate or a token). folder: for its own kubeconfig."""
        self._upstream, self._headers, self._tls = _access(json.loads(kubeconfig.read_text()))
        self._folder = folder
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._calls: list[Call] = []
        self._watches: dict[asyncio.Queue[EndWatch], Call] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.server = ""
        """URL, once it runs."""

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig for the client."""
        return self._folder / "fault-proxy.kubeconfig"

    @property
    def calls(self) -> list[Call]:
        """Every request so far, in order of arrival."""
        with self._lock:
            return list(self._calls)

    @property
    def writes(self) -> list[Call]:
        """Requests for a change."""
        return [call for call in self.calls if call.is_write]

    def add(self, *faults: Fault) -> None:
        """Follow more rules. Of several that strike one request, the first added is done."""
        with self._lock:
            self._faults += faults

    def clear(self) -> None:
        """Follow no rules, and forget the requests."""
        with self._lock:
            self._faults.clear()
            self._calls.clear()

    def end_watches(self, how: EndWatch, resource: str = "") -> int:
        """End the watches that are open now (of one resource, or all); how many."""

        async def end() -> int:
            open_ = [queue for queue, call in self._watches.items() if resource in ("", call.resource)]
            for queue in open_:
                queue.put_nowait(how)
            return len(open_)

        count: int = self._run(end())
        return count

    def __enter__(self) -> Self:
        self._thread.start()
        self._runner = self._run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout=120)

    async def _start(self) -> web.AppRunner:
        timeout = aiohttp.ClientTimeout(total=None, connect=5)
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, headers=self._headers)
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.server = f"http://{host}:{port}"
        self.kubeconfig.write_text(json.dumps(_kubeconfig(self.server), indent=1))
        return runner

    async def _stop(self) -> None:
        for queue in self._watches:
            queue.put_nowait(EndWatch("closed"))
        await self._session.close()
        await self._runner.cleanup()

    # One request

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = call_of(request.method, request.path, request.query, request.headers.get("Content-Type", ""))
        act = self._note(call)
        if isinstance(act, Delay):
            await asyncio.sleep(act.seconds)
        while isinstance(act, Hold) and not act.released.is_set():
            await asyncio.sleep(0.02)
        if isinstance(act, Refuse):
            call.code = act.code
            return _refusal(act)
        try:
            if isinstance(act, Drop) and act.when == "before":
                await _drop(act)
            if call.verb == "watch":
                return await self._watch(request, call, act if isinstance(act, EndWatch) else None)
            return await self._forward(request, call, act if isinstance(act, Drop) else None)
        except _TornError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()

    def _note(self, call: Call) -> Act | None:
        with self._lock:
            self._calls.append(call)
            struck = [fault.act for fault in self._faults if fault.strikes(call)]
            return struck[0] if struck else None

    def _asked(self, request: web.Request, body: bytes) -> Any:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        return self._session.request(
            request.method, f"{self._upstream}{request.raw_path}", headers=headers, data=body or None
        )

    async def _forward(self, request: web.Request, call: Call, drop: Drop | None) -> web.Response:
        try:
            async with self._asked(request, await request.read()) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, ConnectionError) as error:
            raise _TornError from error  # the API server is away: the client must notice as if there were no proxy
        call.reached = True
        if drop is not None:
            await _drop(drop)
        call.code = answer.status
        kept = {
            name: value for name, value in answer.headers.items() if name.lower() not in (*_HOP, "content-encoding")
        }
        return web.Response(status=answer.status, body=body, headers=kept)

    async def _watch(self, request: web.Request, call: Call, end: EndWatch | None) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        ends: asyncio.Queue[EndWatch] = asyncio.Queue()
        self._watches[ends] = call
        try:
            async with self._asked(request, b"") as answer:
                call.reached, call.code = True, answer.status
                response.set_status(answer.status)
                await response.prepare(request)
                await _relay(_lines(answer.content), response, ends, end)
        except (aiohttp.ClientError, ConnectionError) as error:
            raise _TornError from error
        finally:
            self._watches.pop(ends, None)
        await response.write_eof()
        return response


async def _drop(act: Drop) -> None:
    if act.then is not None:
        await asyncio.get_running_loop().run_in_executor(None, act.then)
    raise _TornError


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Events of a watch: one JSON document a line, of any length."""
    rest = b""
    async for chunk in stream.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest


async def _relay(
    lines: AsyncIterator[bytes], response: web.StreamResponse, ends: "asyncio.Queue[EndWatch]", planned: EndWatch | None
) -> None:
    """Hand events on until the watch ends by itself, by plan, or by word from outside."""
    left = planned.events if planned else None
    told = asyncio.ensure_future(ends.get())
    following = asyncio.ensure_future(anext(lines, None))
    try:
        while True:
            if left == 0 and planned is not None and planned.how != "torn":
                return await _end(planned, response, b"")
            await asyncio.wait([told, following], return_when=asyncio.FIRST_COMPLETED)
            line = following.result() if following.done() else b""
            if told.done():
                return await _end(told.result(), response, line or b"")
            if not line:
                return None
            if left == 0 and planned is not None:
                return await _end(planned, response, line)
            await response.write(line)
            left = None if left is None else left - 1
            following = asyncio.ensure_future(anext(lines, None))
    finally:
        told.cancel()
        following.cancel()


async def _end(how: EndWatch, response: web.StreamResponse, line: bytes) -> None:
    if how.how == "closed":
        return
    if how.how == "gone":
        await response.write(json.dumps({"type": "ERROR", "object": _GONE}).encode() + b"\n")
        return
    if line:
        await response.write(line[: len(line) // 2])
    raise _TornError


def _refusal(act: Refuse) -> web.Response:
    status: dict[str, Any] = {**_GONE, "message": act.message, "reason": act.reason, "code": act.code}
    headers = {}
    if act.retry_after is not None:
        status["details"] = {"retryAfterSeconds": act.retry_after}
        headers["Retry-After"] = str(act.retry_after)
    return web.json_response(status, status=act.code, headers=headers)


def _kubeconfig(server: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "faults", "cluster": {"server": server}}],
        "users": [{"name": "faults", "user": {}}],
        "contexts": [{"name": "faults", "context": {"cluster": "faults", "user": "faults"}}],
        "current-context": "faults",
    }


def _access(document: dict[str, Any]) -> tuple[str, dict[str, str], ssl.SSLContext]:
    """URL, headers and TLS of the one context that the test bed's kubeconfigs have."""
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    if "client-certificate-data" in user:
        with TemporaryDirectory() as folder:
            pem = Path(folder) / "client.pem"
            pem.touch(mode=0o600)
            pem.write_bytes(
                b"\n".join(base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key"))
            )
            tls.load_cert_chain(pem)
    headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
    return cluster["server"], headers, tls
