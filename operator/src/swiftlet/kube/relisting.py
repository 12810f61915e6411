"""Lists every kind anew: at the start, after a watch has begun again, and now and then.

Watches lose deletions when they break for long, so the list, and not the watch, has the last word.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

from swiftlet.control.keys import Key
from swiftlet.control.telemetry import SILENT, Telemetry
from swiftlet.kinds.frame.reading import OWNER_LABEL
from swiftlet.kube.client import ApiError, KubeClient
from swiftlet.kube.following import Following
from swiftlet.kube.paths import CHILD_TYPES, OWN_TYPES, TYPES

RESYNC_SECONDS = 600.0
"""Between two lists of a kind, give or take a tenth."""
SETTLE_SECONDS = 5.0
"""After the last object that a watch has listed; then one list of our own repairs what it missed."""
LONGEST_LISTING = 60.0
"""A watch that lists for longer than this, or again and again, is not waited for."""
FIRST_SECONDS = 20.0
"""From the list of resources at the start to the next one: deletions between it and the beginning of their watch are
told by none. The watches of children begin at the version of the first list."""
RETRY_SECONDS = 5.0

WATCHED = (*OWN_TYPES, *CHILD_TYPES)
"""Every kind that is watched, resources before their children, and owners before what they control."""

log = logging.getLogger(__name__)


def selector_of(kind: str) -> str | None:
    """The label selector by which the operator watches and lists a kind."""
    return None if kind in OWN_TYPES else OWNER_LABEL


class Relisting:
    """Keeps the cache true to the lists."""

    def __init__(
        self, client: KubeClient, following: Following, namespaces: Sequence[str], telemetry: Telemetry = SILENT
    ) -> None:
        """namespaces: the ones that are watched; empty means all."""
        self._client, self._following, self._telemetry = client, following, telemetry
        self._namespaces = namespaces
        self._due: dict[str, float] = {}
        self._versions: dict[tuple[str, str | None], int] = {}
        self._begun: dict[str, float] = {}
        """When a watch began to list a kind that has not been listed by us since."""
        self._changed = asyncio.Event()

    async def once(self, kinds: Iterable[str] = WATCHED) -> None:
        """List these kinds now. Raises ApiError."""
        for kind in kinds:
            await self._relist(kind)

    def version(self, kind: str, namespace: str | None) -> int | None:
        """Version of the newest list of a kind in a namespace (None: everywhere); None before the first."""
        return self._versions.get((kind, namespace))

    async def anew(self, kind: str, namespace: str | None) -> int:
        """List a kind now; the version of the list. Raises ApiError."""
        await self._relist_in(kind, namespace)
        return self._versions[kind, namespace]

    def soon(self, kind: str) -> None:
        """A watch of this kind lists, and has just told of an object."""
        now = time.monotonic()
        moment = min(now + SETTLE_SECONDS, self._begun.setdefault(kind, now) + LONGEST_LISTING)
        sooner = moment < self._due.get(kind, math.inf)
        self._due[kind] = moment
        if sooner:
            self._changed.set()

    async def run(self) -> None:
        """List each kind when it is due, for ever."""
        for kind in WATCHED:
            first = FIRST_SECONDS if kind in OWN_TYPES else _resync_seconds()
            self._due.setdefault(kind, time.monotonic() + first)
        while True:
            self._changed.clear()
            kind, moment = min(self._due.items(), key=lambda item: item[1])
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, moment - time.monotonic())):
                    await self._changed.wait()
            if self._due[kind] <= time.monotonic():
                self._begun.pop(kind, None)
                self._due[kind] = math.inf
                again = time.monotonic() + await self._again(kind)
                self._due[kind] = min(self._due[kind], again)

    async def _again(self, kind: str) -> float:
        """List, and say in how many seconds to list again."""
        try:
            await self._relist(kind)
        except ApiError as error:
            log.warning("%s cannot be listed (%s %s): %s", kind, error.code, error.reason, error)
            return RETRY_SECONDS
        return _resync_seconds()

    async def _relist(self, kind: str) -> None:
        scopes = self._namespaces if self._namespaces and TYPES[kind].namespaced else (None,)
        began, repaired = time.monotonic(), 0
        for namespace in scopes:
            repaired += await self._relist_in(kind, namespace)
        self._telemetry.relisted(kind, repaired, time.monotonic() - began)

    async def _relist_in(self, kind: str, namespace: str | None) -> int:
        listed: list[Key] = []
        repaired, version = 0, 0
        async for page in self._client.list(kind, namespace, selector_of(kind)):
            version = page.version
            for item in page.items:
                key: Key = (kind, item.namespace, item.name)
                listed.append(key)
                if not self._following.cache.knows(key, item.version):
                    repaired += self._following.seen(item.read())
            await asyncio.sleep(0)
        for ghost in self._following.cache.prune(kind, namespace, listed, version):
            self._following.dropped(ghost)
            repaired += 1
        self._versions[kind, namespace] = version
        return repaired


def _resync_seconds() -> float:
    return RESYNC_SECONDS * random.uniform(0.9, 1.1)  # noqa: S311 - spreads load
