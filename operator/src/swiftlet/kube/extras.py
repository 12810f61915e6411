"""Kinds that the cluster need not have: followed while they are served, and forgotten when they are not any more."""

import asyncio
import logging
from collections.abc import Iterable

from swiftlet.kube.client import ApiError, KubeClient
from swiftlet.kube.following import Following
from swiftlet.kube.paths import EXTRA_TYPES
from swiftlet.kube.relisting import Relisting
from swiftlet.kube.watching import Watching

PAUSE = 5.0
"""Seconds between two questions for what is served: one request for each kind that the operator is told to use."""

WAITS = "FineTuneJob"
"""What may wait for such a kind; which ones do is not noted anywhere, and they come and go rarely."""

UNANSWERED = frozenset({0, 401, 429})
"""Answers, beside those of 500 and above, that say nothing of the kind. Code 0: none came."""

log = logging.getLogger(__name__)


class Extras:
    """The kinds that are to be used where they are served."""

    def __init__(
        self, client: KubeClient, following: Following, relisting: Relisting, watching: Watching, kinds: Iterable[str]
    ) -> None:
        self._client, self._following = client, following
        self._relisting, self._watching = relisting, watching
        self._kinds = tuple(kinds)
        self._followed: dict[str, asyncio.Task[None]] = {}

    def serves(self, kind: str) -> bool:
        """Whether objects of the kind are in the cache, as far as there are any."""
        return kind in self._followed

    async def run(self, pause: float = PAUSE) -> None:
        """Ask what is served, for ever. Raises what has ended a watch: nothing would be seen of its kind any more."""
        try:
            while self._kinds:
                try:
                    await self.look()
                except ApiError as error:
                    log.warning("nobody says which kinds are served (%s %s): %s", error.code, error.reason, error)
                await asyncio.sleep(pause)
                for task in self._followed.values():
                    if task.done():
                        task.result()
            await asyncio.Event().wait()
        finally:
            for task in self._followed.values():
                task.cancel()

    async def look(self) -> None:
        """Ask once: begin to follow what has come, and forget what has gone. What cannot be asked stays as it is.

        Raises ApiError where the API server has not answered: whether a kind is there is then not known, and what was
        made of it before must not be taken for gone.
        """
        for kind in self._kinds:
            try:
                await self._look_for(kind)
            except ApiError as error:
                if error.code in UNANSWERED or error.code >= 500:
                    raise
                log.warning("%s cannot be used (%s %s): %s", kind, error.code, error.reason, error)

    async def _look_for(self, kind: str) -> None:
        is_served = kind in await self._client.served(EXTRA_TYPES[kind].api_version)
        if is_served and kind not in self._followed:
            await self._relisting.once([kind])
            self._follow(kind)
        elif not is_served and kind in self._followed:
            self._forget(kind)

    def _follow(self, kind: str) -> None:
        self._followed[kind] = asyncio.create_task(self._watching.run([kind]), name=f"watches of {kind}")
        log.info("%s is served: it can be used", kind)
        self._following.wake_all(WAITS)

    def _forget(self, kind: str) -> None:
        self._followed.pop(kind).cancel()
        log.warning("%s is not served any more", kind)
        cache = self._following.cache
        for key in cache.keys(kind):
            if (gone := cache.get(key)) and cache.forget(key, gone["metadata"]["uid"]):
                self._following.dropped(gone)
        self._following.wake_all(WAITS)
