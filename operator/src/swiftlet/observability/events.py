"""Writes Kubernetes Events: best effort, in the background, and never in the way of a reconcile."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from swiftlet.control.telemetry import SILENT, Telemetry
from swiftlet.kinds.conditions.timestamps import to_text
from swiftlet.kinds.frame.outcome import Event
from swiftlet.kube.client import ApiError, KubeClient
from swiftlet.observability.event_record import counted_event

Manifest = dict[str, Any]

WAITING_EVENTS = 5000
"""Events that wait to be written; further ones push out the oldest, since the newest say how things stand."""
BURST = 50
PER_SECOND = 20.0
"""As many are written at once, and as many a second after that. Source: the kubelet's limits are 100 and 50."""

log = logging.getLogger(__name__)


class EventWriter:
    """Takes events at once and writes them one after the other. The same event again only counts up."""

    def __init__(
        self,
        client: KubeClient,
        now: Callable[[], datetime],
        telemetry: Telemetry = SILENT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._now, self._telemetry, self._clock = client, now, telemetry, clock
        self._waiting: deque[Manifest] = deque()
        self._filled = asyncio.Event()
        self._allowance, self._since = float(BURST), clock()

    def tell(self, resource: Manifest, event: Event) -> None:
        """Record an event about a resource, soon."""
        if len(self._waiting) >= WAITING_EVENTS:
            self._waiting.popleft()
            self._telemetry.event_dropped()
        about = {"apiVersion": resource["apiVersion"], "kind": resource["kind"], "metadata": resource["metadata"]}
        self._waiting.append(counted_event(about, event.type, event.reason, event.message, to_text(self._now())))
        self._filled.set()

    async def run(self) -> None:
        """Write what is told, for ever."""
        while True:
            while not self._waiting:
                self._filled.clear()
                await self._filled.wait()
            await asyncio.sleep(self._pause())
            if self._waiting:
                await self._write(self._waiting.popleft())

    async def flush(self, seconds: float) -> None:
        """Write what still waits, for at most `seconds`; the rest is lost."""
        deadline = self._clock() + seconds
        while self._waiting and self._clock() < deadline:
            await self._write(self._waiting.popleft())

    def _pause(self) -> float:
        """Seconds until the next event may be written."""
        now = self._clock()
        self._allowance = min(float(BURST), self._allowance + (now - self._since) * PER_SECOND)
        self._since = now
        self._allowance -= 1
        return max(0.0, -self._allowance / PER_SECOND)

    async def _write(self, event: Manifest) -> None:
        try:
            await self._create_or_count(event)
        except ApiError as error:
            self._telemetry.event_dropped()
            log.debug("event %s dropped: %s", event["metadata"]["name"], error)

    async def _create_or_count(self, event: Manifest) -> None:
        try:
            await self._client.create(event)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            await self._count(event)

    async def _count(self, event: Manifest) -> None:
        metadata = event["metadata"]
        stored = await self._client.get("Event", metadata["namespace"], metadata["name"])
        if stored is None:
            return
        patch = {"count": (stored.get("count") or 1) + 1, "lastTimestamp": event["lastTimestamp"]}
        await self._client.patch("Event", metadata["namespace"], metadata["name"], patch)
