"""The cluster as the loop sees it (`control.store.Store`): read from the cache, written through the client."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.control.keys import Key, Manifest, key_of
from swiftlet.control.store import View
from swiftlet.kinds import Event
from swiftlet.kube.cache import Cache
from swiftlet.kube.carrying_out import Writer
from swiftlet.kube.client import KubeClient
from swiftlet.kube.complaints import Complaints
from swiftlet.kube.live import LiveLookups
from swiftlet.kube.reader import ClusterReader, named_by
from swiftlet.kube.standing import digest_of, signed


class ClusterStore:
    """What is watched comes from the cache; other things that documents name are looked up."""

    def __init__(
        self,
        client: KubeClient,
        cache: Cache,
        now: Callable[[], datetime],
        default_profile: ComputeProfileSpec | None = None,
        progress: Callable[[str], dict[str, Any] | None] = lambda uid: None,
        tell: Callable[[Manifest, Event], None] = lambda resource, event: None,
    ) -> None:
        """default_profile: of resources that name none. progress: what pods reported, by uid. tell: takes the Events;
        it must not block."""
        self._cache, self._default_profile, self._progress, self.tell = cache, default_profile, progress, tell
        self._lookups, self._complaints = LiveLookups(client), Complaints(client)
        self._writer = Writer(client, cache, now)
        self.get = cache.get
        self.is_due, self.patch, self.delete = self._writer.is_due, self._writer.patch, self._writer.delete
        self.report, self.doubt, self.forget_child = self._writer.report, self._lookups.doubt, self._writer.forget
        self.serves: Callable[[str], bool] = lambda kind: False
        """Whether a kind is there that need not be."""

    async def first_seen(self, resource: Manifest) -> dict[Key, Manifest | None]:
        """What a document names and is not watched, looked up at once. Raises ApiError."""
        return await self._looked_up(key for key in named_by(resource) if self._lookups.fresh(key) is None)

    def view(self, resource: Manifest, live: dict[Key, Manifest | None]) -> ClusterReader:
        """The cache, and what was looked up."""
        known = self._lookups.fresh, self._progress, self._complaints.known, self._default_profile
        return ClusterReader(self._cache, resource, live, *known, self.serves)

    async def completed(self, view: View, live: dict[Key, Manifest | None]) -> bool:
        """Look up what is not watched, and ask what hinders Jobs. Raises ApiError."""
        asking = [job for job in view.hindered if self._complaints.may_ask(job)]
        if not view.missing and not asking:
            return False
        await asyncio.gather(*map(self._complaints.ask, asking))
        wanted = (key for key in view.missing if key not in live and self._lookups.fresh(key) is None)
        live.update(await self._looked_up(wanted))
        return True

    async def _looked_up(self, keys: Iterable[Key]) -> dict[Key, Manifest | None]:
        wanted = list(keys)
        return dict(zip(wanted, await asyncio.gather(*map(self._lookups.look, wanted)), strict=True))

    def pause(self, resource: Key, view: View, asked: float | None) -> float | None:
        """Where many Jobs miss pods, each is looked at as rarely as its controller may be asked why."""
        if not view.hindered or asked is None:
            self._complaints.forget(resource)
            return asked
        return self._complaints.wait(resource, asked)

    def forget(self, resource: Key) -> None:
        """A resource is gone."""
        self._complaints.forget(resource)

    # Changing

    def signed(self, manifest: Manifest) -> Manifest:
        """With the digest of itself as an annotation."""
        return signed(manifest)

    def digest(self, child: Manifest) -> str:
        """The one that it was signed with."""
        return digest_of(child)

    async def apply(self, child: Manifest, live: dict[Key, Manifest | None]) -> bool:
        """By server-side apply, and as a new object where none is known to be there. Raises ApiError."""
        key = key_of(child)
        is_there = self._cache.uid(key) is not None or live.get(key) is not None
        stored = await self._writer.apply(child, is_there)
        # Taken: by a child that the cache had not seen, or by somebody else.
        live[key] = await self._writer.occupant(key) if stored is None else stored
        return stored is not None
