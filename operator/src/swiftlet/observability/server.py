"""The operator's HTTP servers, each on a port of its own, so that a crowd at one is none at the other.

Progress, for pods:
POST /progress        a report for the resource that the pod belongs to
POST /progress/UID    the same, and refused when the pod belongs to another resource

Metrics and health, for the cluster:
GET  /metrics         Prometheus text of the registry
GET  /healthz         200 while the process works, else 503 with the reason
GET  /readyz          200 once it can serve, else 503 with the reason
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from swiftlet.observability.connection_gate import ConnectionGate, Limits
from swiftlet.observability.server_progress import ProgressEndpoint

Check = Callable[[], str | None]
"""None when all is well, else why not."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PROGRESS_LIMITS = Limits(connections=512, of_address=32)
METRICS_LIMITS = Limits(connections=64, of_address=16)
METRICS_SECONDS = 1.0
"""How long a text of metrics is handed out: to make one takes time on the loop that everything runs on."""


def all_well() -> str | None:
    """The check of a process that has nothing to check."""
    return None


@dataclass(frozen=True)
class Checks:
    """What the probes ask."""

    healthy: Check = all_well
    ready: Check = all_well


def metrics_app(registry: CollectorRegistry, checks: Checks) -> web.Application:
    """Metrics and health."""
    app = web.Application(middlewares=[_one_request])
    app.router.add_get("/metrics", _metrics(registry))
    app.router.add_get("/healthz", _probe(checks.healthy))
    app.router.add_get("/readyz", _probe(checks.ready))
    return app


def progress_app(progress: ProgressEndpoint) -> web.Application:
    """Reports of pods."""
    app = web.Application(middlewares=[_one_request])
    app.router.add_post("/progress", progress.handle)
    app.router.add_post("/progress/{uid:[0-9A-Za-z-]{1,64}}", progress.handle)

    async def close(_: web.Application) -> None:
        await progress.close()

    app.on_cleanup.append(close)
    return app


@web.middleware
async def _one_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A connection carries one request, so that its time is the request's."""
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        refusal.force_close()
        raise
    response.force_close()
    return response


def _metrics(registry: CollectorRegistry) -> Handler:
    made: dict[str, tuple[float, bytes]] = {}
    making = asyncio.Lock()

    async def handle(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        async with making:
            now = time.monotonic()
            for old in [name for name, (since, _) in made.items() if now - since >= METRICS_SECONDS]:
                del made[old]
            if content_type not in made:
                # Figures are read on the loop, which owns them. To write them is the larger work, and needs no loop.
                made[content_type] = now, await asyncio.to_thread(encode, _collected(registry))
            return web.Response(body=made[content_type][1], headers={"Content-Type": content_type})

    return handle


def _collected(registry: CollectorRegistry) -> CollectorRegistry:
    """The figures as they are now."""

    families = list(registry.collect())

    class Collected(Collector):
        def collect(self) -> Iterable[Metric]:
            return families

    now = CollectorRegistry()
    now.register(Collected())
    return now


def _probe(check: Check) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        problem = check()
        return web.Response(text=problem or "ok", status=503 if problem else 200)

    return handle


class HttpServer:
    """An application on a port of this process' event loop."""

    def __init__(self, app: web.Application, limits: Limits, host: str = "0.0.0.0", port: int = 8080) -> None:  # noqa: S104
        """host: every address of the pod by default, since the kubelet, Prometheus and pods call it. port 0: any."""
        self._app, self._limits, self._host, self._port = app, limits, host, port
        self._listener: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        self._runner = web.AppRunner(self._app, access_log=None, handle_signals=False, handler_cancellation=True)
        await self._runner.setup()
        gate = ConnectionGate(self._limits, self._runner.server)  # type: ignore[arg-type]
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(gate.protocol, self._host, self._port)

    @property
    def port(self) -> int:
        """The port that is listened on. Raises RuntimeError before `start`."""
        if self._listener is None:
            raise RuntimeError("the server has not been started")
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Finish the requests that are under way and close the port."""
        if self._listener is not None:
            self._listener.close()
            await self._runner.cleanup()
