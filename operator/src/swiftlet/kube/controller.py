"""Follows the cluster and works: from observed changes to keys, and from keys to looks."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from swiftlet.kinds import RECONCILERS
from swiftlet.kube.cache import Cache, Key, key_of
from swiftlet.kube.client import ApiError
from swiftlet.kube.context import begin, looked_at
from swiftlet.kube.queue import Lane, WorkQueue
from swiftlet.kube.reconciling import Look, Reconciling, UnsettledError
from swiftlet.kube.telemetry import SILENT, Telemetry
from swiftlet.kube.tracing import span, tell

Manifest = dict[str, Any]

log = logging.getLogger(__name__)


class Controller:
    """The cache, the queue, and the workers between them."""

    def __init__(
        self,
        cache: Cache,
        reconciling: Reconciling,
        telemetry: Telemetry = SILENT,
        on_error: Callable[[Key, Exception], None] = lambda key, error: None,
        on_gone: Callable[[str], None] = lambda uid: None,
    ) -> None:
        """on_error: told when a look fails for another reason than the API server's. on_gone: told the uid of a
        resource that was deleted."""
        self.cache, self._reconciling, self._telemetry = cache, reconciling, telemetry
        self.queue: WorkQueue[Key] = WorkQueue(telemetry.queued)
        self.lane = Lane.CHANGE
        """In which resources wait for what is seen now."""
        self._on_error, self._on_gone = on_error, on_gone
        self._workers: list[asyncio.Task[None]] = []
        self._busy: set[asyncio.Task[None] | None] = set()
        self._stopping = False

    # Following

    def seen(self, manifest: Manifest) -> bool:
        """An object is there like this; False when that is no news."""
        if not self.cache.put(manifest):
            return False
        self._wake(manifest)
        return True

    def seen_gone(self, manifest: Manifest) -> bool:
        """An object was deleted; False when that is no news."""
        if not self.cache.remove(manifest):
            self._forget(manifest)  # the API server may have said so before the watch did
            return False
        self.dropped(manifest)
        return True

    def dropped(self, manifest: Manifest) -> None:
        """An object is no longer in the cache."""
        self._forget(manifest)
        self._wake(manifest)

    def progressed(self, uid: str) -> None:
        """Pods of a resource have reported something that is worth a look."""
        key = self.cache.resource(uid)
        if key is not None:
            self.queue.add(key, Lane.PROGRESS)

    def _forget(self, manifest: Manifest) -> None:
        if manifest["kind"] in RECONCILERS:
            self._on_gone(manifest["metadata"]["uid"])
        elif self.cache.uid(key_of(manifest)) is None:
            self._reconciling.forget_child(key_of(manifest))

    def _wake(self, manifest: Manifest) -> None:
        """Queue everything that a change of this object may concern."""
        key = key_of(manifest)
        if key[0] in RECONCILERS:
            self.queue.add(key, self.lane)
        owner = self.cache.resource_of(manifest)
        if owner is not None:
            self.queue.add(owner, self.lane)
        for dependent in self._reconciling.dependents.of(key):
            self.queue.add(dependent, self.lane)

    # Working

    def start(self, workers: int) -> list[asyncio.Task[None]]:
        """Start the workers; they end by `drain` only."""
        self._workers = [asyncio.create_task(self._work(), name=f"worker {number}") for number in range(workers)]
        return self._workers

    async def drain(self, grace_seconds: float) -> None:
        """Take no more keys, and let the looks that are under way end; give up on them after `grace_seconds`."""
        self._stopping = True
        self.queue.close()
        for worker in self._workers:
            if worker not in self._busy:
                worker.cancel()
        _, late = await asyncio.wait(self._workers, timeout=grace_seconds) if self._workers else (set(), set())
        for worker in late:
            log.warning("a look did not end within %s s of being asked to", grace_seconds)
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _work(self) -> None:
        while not self._stopping:
            key, waited = await self.queue.get()
            self._telemetry.started(key[0], waited)
            began = time.monotonic()
            begin(key)
            self._busy.add(asyncio.current_task())
            try:
                with span("reconcile", key) as found:
                    tell(found, result=await self._look(key, began - waited), reconcile=looked_at())
            finally:
                self._busy.discard(asyncio.current_task())
                self.queue.done(key)

    async def _look(self, key: Key, since: float) -> str:
        """The look's result."""
        began = time.monotonic()
        try:
            look = await self._reconciling.look_at(key)
        except ApiError as error:
            self._refused(key, error)
            look = Look("conflict" if error.code == 409 else "error")
        except UnsettledError as error:
            log.info("%s", error)
            self._retry(key)
            look = Look("error")
        except Exception as error:
            # One resource that cannot be worked on must not stop the others.
            log.exception("the look failed")
            self._on_error(key, error)
            self._retry(key)
            look = Look("error")
        else:
            self.queue.forget(key)
            for refused in look.refused:
                _log_refusal(refused, look.again or 0.0)
            if look.again is not None:
                self.queue.add_after(key, look.again)
            if look.first_write is not None:
                self._telemetry.first_write(key[0], look.first_write - since)
                # The cache has what was written since the answer, so the watch will have no news of it.
                for dependent in self._reconciling.dependents.of(key):
                    self.queue.add(dependent)
        self._telemetry.reconciled(key[0], look.result, time.monotonic() - began)
        return look.result

    def _refused(self, key: Key, error: ApiError) -> None:
        """The status could not be written, or nobody answered."""
        _log_refusal(error, self._retry(key, error.retry_after or 0.0))

    def _retry(self, key: Key, at_least: float = 0.0) -> float:
        self._telemetry.retried(key[0])
        return self.queue.retry(key, at_least)


def _log_refusal(error: ApiError, delay: float) -> None:
    """Conflicts and answers about something that has just gone are everyday; the others are worth a line."""
    level = logging.DEBUG if error.code in (404, 409) else logging.WARNING
    log.log(level, "the API server refused (%s %s): %s; again in %.3g s", error.code, error.reason, error, delay)
