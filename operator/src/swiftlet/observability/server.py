"""The operator's HTTP server: metrics and health for the cluster, and the progress endpoint for its pods.

GET  /metrics         Prometheus text of the registry
GET  /healthz         200 while the process works, else 503 with the reason
GET  /readyz          200 once it can serve, else 503 with the reason
POST /progress        a report for the resource that the pod belongs to
POST /progress/UID    the same, and refused when the pod belongs to another resource
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from swiftlet.observability.server_progress import ProgressEndpoint

Check = Callable[[], str | None]
"""None when all is well, else why not."""

KEEPALIVE_SECONDS = 75.0
"""For an idle connection; pods open one for each report."""


def all_well() -> str | None:
    """The check of a process that has nothing to check."""
    return None


@dataclass(frozen=True)
class Checks:
    """What the probes ask."""

    healthy: Check = all_well
    ready: Check = all_well


def build_app(registry: CollectorRegistry, checks: Checks, progress: ProgressEndpoint | None = None) -> web.Application:
    """The application; without `progress` it takes no reports."""
    app = web.Application()
    app.router.add_get("/metrics", _metrics(registry))
    app.router.add_get("/healthz", _probe(checks.healthy))
    app.router.add_get("/readyz", _probe(checks.ready))
    if progress is not None:
        app.router.add_post("/progress", progress.handle)
        app.router.add_post("/progress/{uid:[0-9A-Za-z-]{1,64}}", progress.handle)

        async def close(_: web.Application) -> None:
            await progress.close()

        app.on_cleanup.append(close)
    return app


def _metrics(registry: CollectorRegistry) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    return handle


def _probe(check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(_: web.Request) -> web.Response:
        problem = check()
        return web.Response(text=problem or "ok", status=503 if problem else 200)

    return handle


class HttpServer:
    """The application on a port of this process' event loop."""

    def __init__(self, app: web.Application, host: str = "0.0.0.0", port: int = 8080) -> None:  # noqa: S104
        """host: every address of the pod by default, since the kubelet, Prometheus and pods call it. port 0: any."""
        self._app, self._host, self._port = app, host, port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        self._runner = web.AppRunner(
            self._app, access_log=None, handle_signals=False, keepalive_timeout=KEEPALIVE_SECONDS
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    @property
    def port(self) -> int:
        """The port that is listened on. Raises RuntimeError before `start`."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the server has not been started")
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Finish the requests that are under way and close the port."""
        if self._runner is not None:
            await self._runner.cleanup()
