"""What only the leader does: watch, work, list anew, write Events."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from lightkube.config.kubeconfig import SingleConfig

from swiftlet.api.v1alpha1.backends import BACKENDS
from swiftlet.app.informer import watch
from swiftlet.app.settings import Settings
from swiftlet.control.controller import Controller
from swiftlet.control.keys import Key
from swiftlet.control.queue import Lane
from swiftlet.control.reconciling import Reconciling
from swiftlet.control.telemetry import Telemetry
from swiftlet.kinds import Capabilities, Event
from swiftlet.kube.cache import Cache
from swiftlet.kube.client import ApiError, KubeClient
from swiftlet.kube.extras import Extras
from swiftlet.kube.following import Following
from swiftlet.kube.paths import OWN_TYPES
from swiftlet.kube.relisting import Relisting
from swiftlet.kube.store import ClusterStore
from swiftlet.kube.watching import Watching
from swiftlet.observability.events import EventWriter
from swiftlet.observability.progress import ProgressBoard
from swiftlet.observability.progress_pace import ProgressPace

Manifest = dict[str, Any]

DRAIN_SECONDS = 10.0
"""For the looks that are under way when the process is asked to stop."""
FLUSH_SECONDS = 2.0
LIST_RETRY_SECONDS = 2.0
FIRST_LOOKS_SECONDS = 60.0
"""For the looks at what the first list found, before kopf's watches begin: their own listing would take half of the
time. What happens meanwhile is followed from the list on, and goes before these looks."""

log = logging.getLogger(__name__)


class Leading:
    """The working part of the process. `synced`: the cache has every kind."""

    def __init__(
        self,
        settings: Settings,
        capabilities: Capabilities,
        access: SingleConfig,
        client: KubeClient,
        cache: Cache,
        board: ProgressBoard,
        telemetry: Telemetry,
        now: Callable[[], datetime],
    ) -> None:
        self._settings, self._access, self._cache, self._telemetry = settings, access, cache, telemetry
        self._events = EventWriter(client, now, telemetry)
        self._board = board
        self._pace = ProgressPace(board, self._stored_progress, lambda uid: self.following.progressed(uid))
        store = ClusterStore(client, cache, now, capabilities.default_profile, self._pace.read, self._events.tell)
        self.controller = Controller(Reconciling(store, capabilities, now), telemetry, self._failed)
        self.following = Following(cache, self.controller, self._gone, store.forget_child)
        self._relisting = Relisting(client, self.following, settings.namespaces, telemetry)
        self._watching = Watching(client, self.following, self._relisting, settings.namespaces, telemetry)
        kinds = [BACKENDS[name].kind for name in settings.extra_backends]
        self._extras = Extras(client, self.following, self._relisting, self._watching, kinds)
        store.serves = self._extras.serves
        self._tasks: list[asyncio.Task[None]] = []
        board.on_report = self._pace.reported
        self.synced = False
        self._looked, self._kopf_watches = asyncio.Event(), asyncio.Event()

    def start(self, on_watching: Callable[[], None]) -> list[asyncio.Task[None]]:
        """Start everything; none of the tasks ends by itself."""
        self._working = asyncio.create_task(self._work(), name="work")
        self._tasks = [
            self._working,
            asyncio.create_task(self._events.run(), name="events"),
            asyncio.create_task(self._watch(on_watching), name="watch"),
        ]
        return self._tasks

    async def quiesce(self, at_once: bool) -> None:
        """Write no more. Looks that are under way end well, unless `at_once`: another replica may write already."""
        self._board.on_report = None
        self._pace.close()
        await self.controller.drain(0.0 if at_once else DRAIN_SECONDS)
        if not at_once:
            await self._events.flush(FLUSH_SECONDS)

    async def close(self) -> None:
        """End every task. kopf is cancelled, since it would wait for open connections of the HTTP server otherwise."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        """List, work, and list again and again."""
        self.controller.lane = Lane.FIRST
        while not self.synced:
            try:
                await self._relisting.once()
                await self._extras.look()  # before the first look: what it has made must not be made again
            except ApiError as error:
                log.warning("the cluster cannot be listed (%s %s): %s", error.code, error.reason, error)
                await asyncio.sleep(LIST_RETRY_SECONDS)
                continue
            self.synced = True
        self.controller.lane = Lane.CHANGE
        log.info(
            "listed %s resources",
            sum(self._cache.count(kind) for kind in ("FineTuneJob", "EvalRun", "ModelDeployment")),
        )
        workers = self.controller.start(self._settings.workers)
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(_forever(worker))
            group.create_task(self._watching.run())
            group.create_task(self._extras.run())
            catching_up = group.create_task(self._watching.run(OWN_TYPES))
            await self._first_looks()
            self._looked.set()
            await self._kopf_watches.wait()
            catching_up.cancel()
            group.create_task(self._relisting.run())

    async def _first_looks(self) -> None:
        deadline = time.monotonic() + FIRST_LOOKS_SECONDS
        while not self.controller.queue.empty() and time.monotonic() < deadline:
            await asyncio.sleep(0.1)

    async def _watch(self, on_watching: Callable[[], None]) -> None:
        await self._looked.wait()

        def started() -> None:
            self._kopf_watches.set()
            on_watching()

        await watch(self._access, self._settings.namespaces, self._saw, started)

    def _saw(self, kind: str, type_: str | None, manifest: Manifest) -> None:
        """One event of a watch."""
        self._telemetry.watched(kind, type_ or "LISTED")
        manifest.setdefault("kind", kind)
        if type_ is None:
            self._relisting.soon(kind)
        if type_ == "DELETED":
            self.following.seen_gone(manifest)
        else:
            self.following.seen(manifest)

    def _gone(self, uid: str) -> None:
        """A resource was deleted."""
        self._board.forget(uid)
        self._pace.forget(uid)

    def _stored_progress(self, uid: str) -> Manifest:
        key = self._cache.resource(uid)
        resource = self._cache.get(key) if key else None
        return ((resource or {}).get("status") or {}).get("progress") or {}

    def _failed(self, key: Key, error: Exception) -> None:
        log.error("the look failed", exc_info=error)
        resource = self._cache.get(key)
        if resource is not None:
            self._events.tell(resource, Event("Warning", "ReconcileError", f"{type(error).__name__}: {error}"))


async def _forever(worker: asyncio.Task[None]) -> None:
    """Workers end only when they are told to; an error of one must not stay unnoticed."""
    await asyncio.shield(worker)
