"""The life of one operator process: serve, stand by, lead, and go.

Every replica serves metrics, health and progress. Only the holder of the Lease watches and writes; when it loses the
Lease it ends, and starts again as a candidate.
"""

import asyncio
import logging
import math
import secrets
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from swiftlet.api import API_VERSION, KINDS
from swiftlet.app.default_profile import default_profile
from swiftlet.app.errors import StartError
from swiftlet.app.leading import Leading
from swiftlet.app.settings import Settings
from swiftlet.kinds import Capabilities
from swiftlet.kube.cache import Cache
from swiftlet.kube.client import ApiError
from swiftlet.kube.credentials import load_access
from swiftlet.kube.http_client import HttpClient
from swiftlet.kube.lease import Candidate, Election, LeaseLostError
from swiftlet.observability.authentication import Authenticator
from swiftlet.observability.authentication_review import ClusterTokenReviewer
from swiftlet.observability.connection_gate import Limits
from swiftlet.observability.metrics import Metrics, ResourceCollector, new_registry
from swiftlet.observability.progress import ProgressBoard
from swiftlet.observability.review_slots import REVIEWS_AT_ONCE
from swiftlet.observability.run_collector import RunCollector
from swiftlet.observability.server import METRICS_LIMITS, PROGRESS_LIMITS, Checks, HttpServer, metrics_app, progress_app
from swiftlet.observability.server_forward import Leadership
from swiftlet.observability.server_progress import ProgressEndpoint

SERVED_SECONDS = 30.0
"""For CRDs that were applied a moment ago to be served."""
SILENCE_SECONDS = 60.0
"""A candidate that has heard nothing of the API server for this long is not ready."""

log = logging.getLogger(__name__)


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class CachedObjects:
    """The cache, as the progress endpoint asks it."""

    cache: Cache

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """One object, or None."""
        return self.cache.get((kind, namespace or "", name))


async def operate(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT (0), or until something makes it impossible to go on (1).

    Raises NoClusterError and StartError.
    """
    async with AsyncExitStack() as stack:
        process = Process(settings)
        await process.open(stack)
        return await process.run()


class Process:
    """The parts that live as long as the process does."""

    def __init__(self, settings: Settings) -> None:
        """Raises NoClusterError and StartError."""
        self._settings = settings
        self._capabilities = Capabilities(
            progress_url=settings.progress_url, default_profile=default_profile(settings.default_profile)
        )
        self._access = load_access(settings.kubeconfig)
        self._stop = asyncio.Event()
        self.registry: CollectorRegistry = new_registry()
        self.metrics = Metrics(self.registry)
        self.board = ProgressBoard()
        self.cache = Cache()
        self._leading: Leading | None = None
        self._election: Election | None = None
        self.registry.register(ResourceCollector(self.cache, self._has_synced))
        self.registry.register(RunCollector(self.cache, self._has_synced, settings.series_limit))

    async def open(self, stack: AsyncExitStack) -> None:
        """Connect and serve. Raises StartError."""
        settings = self._settings
        # The Lease has a client of its own: no number of reviews, writes or refusals stands in the way of a renewal.
        self._steward = await stack.enter_async_context(HttpClient(self._access, self.metrics))
        reviewer = await stack.enter_async_context(HttpClient(self._access, self.metrics, connections=REVIEWS_AT_ONCE))
        self._client = await stack.enter_async_context(HttpClient(self._access, self.metrics, self._write_seconds))
        await self._check_cluster()
        progress = ProgressEndpoint(
            self.board,
            Authenticator(ClusterTokenReviewer(reviewer)),
            CachedObjects(self.cache),
            Leadership(
                self._has_synced,
                lambda: self._election.leader_address if self._election else None,
                lambda: self._election.leader_key if self._election else None,
            ),
            self.registry,
        )
        metrics = metrics_app(self.registry, Checks(self._unhealthy, self._unready))
        await self._serve(
            stack, "--metrics-listen", metrics, METRICS_LIMITS, settings.metrics_host, settings.metrics_port
        )
        port = await self._serve(
            stack, "--listen", progress_app(progress), PROGRESS_LIMITS, settings.host, settings.port
        )
        if settings.leader_election:
            candidate = Candidate(
                namespace=settings.lease_namespace or self._access.namespace,
                name=settings.lease_name,
                identity=settings.identity,
                address=settings.address(port),
                key=secrets.token_urlsafe(18),
            )
            self._election = Election(self._steward, candidate, now)

    async def _serve(
        self, stack: AsyncExitStack, option: str, app: web.Application, limits: Limits, host: str, port: int
    ) -> int:
        """Listen until the process ends; the port. Raises StartError."""
        server = HttpServer(app, limits, host, port)
        try:
            await server.start()
        except OSError as error:
            raise StartError(f"{option} {host}:{port}: {error.strerror or error}") from error
        stack.push_async_callback(server.stop)
        log.info("serving on %s:%s (%s)", host, server.port, option)
        return server.port

    async def run(self) -> int:
        """Stand by, lead, and go; the exit code."""
        self._take_signals()
        stopped = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            if self._election and not await self._elected(self._election, stopped):
                return 0
            return await self._lead(stopped)
        finally:
            stopped.cancel()
            log.info("stopped")

    async def _elected(self, election: Election, stopped: asyncio.Task[bool]) -> bool:
        """Wait for the Lease; False when the process is to stop before."""
        acquiring = asyncio.create_task(election.acquire(), name="acquire")
        await asyncio.wait([acquiring, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not acquiring.done():
            acquiring.cancel()
            await asyncio.gather(acquiring, return_exceptions=True)
            return False
        acquiring.result()
        return True

    async def _lead(self, stopped: asyncio.Task[bool]) -> int:
        """Work until it ends; the exit code. Whatever ends unasked is a reason to end the process."""
        self.metrics.leading.set(1)
        leading = Leading(
            self._settings, self._capabilities, self._access, self._client, self.cache, self.board, self.metrics, now
        )
        self._leading = leading
        holding = asyncio.create_task(self._election.hold(), name="lease") if self._election else None
        tasks = [*leading.start(on_watching=self._take_signals), *([holding] if holding else [])]
        done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
        self._leading = None
        lost = holding is not None and holding in done
        await leading.quiesce(at_once=lost)
        if holding and self._election:
            holding.cancel()
            await self._election.release()
        self.metrics.leading.set(0)
        await leading.close()
        failed = [task for task in done if task is not stopped]
        for task in failed:
            error = task.exception()
            log.error("%s ended: %s", task.get_name(), error or "unasked", exc_info=_trace(error))
        return 1 if failed else 0

    async def _check_cluster(self) -> None:
        """Whether the cluster answers and has the CRDs; new ones take a while to be served. Raises StartError."""
        deadline = time.monotonic() + SERVED_SECONDS
        while missing := sorted(set(KINDS) - await self._served()):
            what = f"the cluster does not know {', '.join(missing)} of {API_VERSION}"
            if time.monotonic() > deadline:
                raise StartError(f"{what}; install the CRDs: kubectl apply --server-side -f crds/ (the chart does it)")
            log.info("%s yet", what)
            await asyncio.sleep(1)

    async def _served(self) -> set[str]:
        """Kinds of ours that the API server serves. Raises StartError when it cannot be asked."""
        try:
            return set(await self._steward.served(API_VERSION))
        except ApiError as error:
            raise StartError(
                f"the API server of context {self._access.context_name} cannot be used"
                f" ({error.code or 'no answer'}): {error}; check the address and the credentials"
            ) from error

    # Asked by others

    def _has_synced(self) -> bool:
        return self._leading is not None and self._leading.synced

    def _write_seconds(self) -> float:
        return math.inf if self._election is None else self._election.write_seconds

    def _unhealthy(self) -> str | None:
        """That it answers says that the loop runs; what dies ends the process."""
        return None

    def _unready(self) -> str | None:
        silent = self._election.silent_seconds if self._election else 0.0
        if silent is None or silent > SILENCE_SECONDS:
            return "the API server does not answer"
        if self._write_seconds() > 0 and not self._has_synced():
            return "leading, but not everything has been listed yet"
        return None

    # Signals

    def _take_signals(self) -> None:
        """Again after kopf has started, which takes them for itself."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)


def _trace(error: BaseException | None) -> BaseException | None:
    """The lost lease explains itself; other ends want a traceback."""
    return None if isinstance(error, LeaseLostError) else error
