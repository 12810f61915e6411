"""Follows kinds, those of children for ever: a stream for each kind and namespace, each from where the last one ended.

It begins where the first list ended, so nothing is told twice and nothing is missed. Objects are read no further than
their version where they are no news, as most are: they are echoes of our own writes.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from swiftlet.control.telemetry import SILENT, Telemetry
from swiftlet.kube.client import ApiError, KubeClient, Watched
from swiftlet.kube.following import Following
from swiftlet.kube.paths import CHILD_TYPES, TYPES
from swiftlet.kube.relisting import Relisting, selector_of

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a watch that failed begins again; doubled each time."""
PASSING = frozenset({0, 401, 403, 429})
"""Answers after which the same version can be asked for again, beside those of 500 and above. Code 0: none came."""

log = logging.getLogger(__name__)


class Watching:
    """The watches of kinds."""

    def __init__(
        self,
        client: KubeClient,
        following: Following,
        relisting: Relisting,
        namespaces: Sequence[str],
        telemetry: Telemetry = SILENT,
    ) -> None:
        """namespaces: the ones that are watched; empty means all. relisting: has listed every kind once."""
        self._client, self._following, self._relisting = client, following, relisting
        self._scopes: Sequence[str | None] = namespaces or (None,)
        self._telemetry = telemetry

    async def run(self, kinds: Iterable[str] = CHILD_TYPES) -> None:
        """Watch these kinds until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind in kinds:
                for namespace in self._scopes if TYPES[kind].namespaced else (None,):
                    group.create_task(self._follow(kind, namespace), name=f"watch of {kind}")

    async def _follow(self, kind: str, namespace: str | None) -> None:
        version, failures = self._relisting.version(kind, namespace), 0
        while True:
            try:
                if version is None:
                    version = await self._relisting.anew(kind, namespace)
                async for event in self._client.watch(kind, namespace, selector_of(kind), version):
                    version, failures = max(version, event.version), 0
                    self._saw(kind, event)
            except ApiError as error:
                if error.code not in PASSING and error.code < 500:
                    version = None
                pause = min(FIRST_PAUSE * 2.0**failures, LONGEST_PAUSE)
                failures = min(failures + 1, 10)
                log.info("the watch of %s ended (%s %s): %s", kind, error.code, error.reason, error)
                await asyncio.sleep(pause)

    def _saw(self, kind: str, event: Watched) -> None:
        self._telemetry.watched(kind, event.type)
        if event.item is None:
            return
        if event.type == "DELETED":
            self._following.seen_gone(event.item.read())
        elif not self._following.cache.knows((kind, event.item.namespace, event.item.name), event.version):
            self._following.seen(event.item.read())
