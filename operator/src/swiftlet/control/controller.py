"""Works: from keys that want a look to looks, one worker at a time for a key, and again after errors."""

import asyncio
import logging
import time
from collections.abc import Callable, Container
from typing import Protocol

from swiftlet.control.context import begin, looked_at
from swiftlet.control.dependents import Dependents
from swiftlet.control.keys import Key
from swiftlet.control.queue import Lane, WorkQueue
from swiftlet.control.reconciling import Look, UnsettledError
from swiftlet.control.store import StoreError
from swiftlet.control.telemetry import SILENT, Telemetry
from swiftlet.control.tracing import span, tell
from swiftlet.kinds import RECONCILERS

log = logging.getLogger(__name__)


class Looks(Protocol):
    """What a look is (`control.reconciling.Reconciling`)."""

    @property
    def dependents(self) -> Dependents:
        """Who asked for whom."""

    async def look_at(self, key: Key) -> Look:
        """Look at one object, and do what is to be done."""


class Controller:
    """The queue, and the workers that empty it."""

    def __init__(
        self,
        looks: Looks,
        telemetry: Telemetry = SILENT,
        on_error: Callable[[Key, Exception], None] = lambda key, error: log.error("%s", key, exc_info=error),
        kinds: Container[str] = RECONCILERS,
        queue: WorkQueue[Key] | None = None,
    ) -> None:
        """on_error: told when a look fails for another reason than the store's. kinds: of the resources; others are
        only read. queue: with the pauses after errors; by default those of a cluster."""
        self._looks, self._telemetry, self._on_error, self._kinds = looks, telemetry, on_error, kinds
        self.queue = WorkQueue[Key](telemetry.queued) if queue is None else queue
        self.lane = Lane.CHANGE
        """In which resources wait for what is seen now."""
        self._workers: list[asyncio.Task[None]] = []
        self._busy: set[asyncio.Task[None] | None] = set()
        self._stopping = False

    def wake(self, key: Key, resource: Key | None) -> None:
        """Queue everything that a change of an object may concern. resource: the one that it is, or belongs to."""
        if resource is not None and resource[0] in self._kinds:
            self.queue.add(resource, self.lane)
        for dependent in self._looks.dependents.of(key):
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
            await asyncio.sleep(0)  # a store that never waits must not keep everything else waiting

    async def _look(self, key: Key, since: float) -> str:
        """The look's result."""
        began = time.monotonic()
        try:
            look = await self._looks.look_at(key)
        except StoreError as error:
            self._refused(key, error)
            look = Look("conflict" if error.code == 409 else "error")
        except UnsettledError as error:
            log.info("%s", error)
            self._retry(key)
            look = Look("error")
        except Exception as error:
            # One resource that cannot be worked on must not stop the others.
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
                for dependent in self._looks.dependents.of(key):
                    self.queue.add(dependent)
        self._telemetry.reconciled(key[0], look.result, time.monotonic() - began)
        return look.result

    def _refused(self, key: Key, error: StoreError) -> None:
        """The status could not be written, or nobody answered."""
        _log_refusal(error, self._retry(key, error.retry_after or 0.0))

    def _retry(self, key: Key, at_least: float = 0.0) -> float:
        self._telemetry.retried(key[0])
        return self.queue.retry(key, at_least)


def _log_refusal(error: StoreError, delay: float) -> None:
    """Conflicts and answers about something that has just gone are everyday; the others are worth a line."""
    level = logging.DEBUG if error.code in (404, 409) else logging.WARNING
    said = error.who, error.code, error.reason, error, delay
    log.log(level, "%s refused (%s %s): %s; again in %.3g s", *said)
