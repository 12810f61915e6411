"""Writes what a reconciler decided: children first, then the status, each only when it differs from what is there."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from swiftlet.api.v1alpha1.backends import WORKLOADS
from swiftlet.control.keys import Key, key_of
from swiftlet.kinds.conditions.timestamps import to_text
from swiftlet.kinds.frame.outcome import ObjectRef, Patch
from swiftlet.kinds.frame.reading import OWNER_LABEL
from swiftlet.kube.cache import Cache
from swiftlet.kube.client import ApiError, KubeClient
from swiftlet.kube.paths import CHILD_TYPES, EXTRA_TYPES
from swiftlet.kube.standing import content_digest, digest_of, stands
from swiftlet.kube.status_patch import merge_patch

Manifest = dict[str, Any]

log = logging.getLogger(__name__)


class Writer:
    """Writes through the client, and tells the cache what the API server answered."""

    def __init__(self, client: KubeClient, cache: Cache, now: Callable[[], datetime]) -> None:
        self._client, self._cache, self._now = client, cache, now
        self._applied: dict[Key, str] = {}
        """Digest of what was applied last and has not been compared since."""
        self._normalised: dict[Key, tuple[str, str]] = {}
        """Children that the API server stores in other words than they were applied: both digests."""

    def is_due(self, wanted: Manifest) -> bool:
        """Whether a child (signed) must be applied. One that is being deleted is made anew when it is gone."""
        key = key_of(wanted)
        live = self._cache.get(key)
        if live is None:
            return True
        applied = self._applied.pop(key, None)
        if live["metadata"].get("deletionTimestamp") or stands(wanted, live):
            return False
        both = digest_of(wanted), content_digest(live)
        if applied == both[0]:
            # To apply it again would change nothing.
            log.debug("stored in other words than applied: %s", key)
            self._normalised[key] = both
        return self._normalised.get(key) != both

    async def apply(self, wanted: Manifest, is_there: bool) -> Manifest | None:
        """Apply a child (signed) and return it as stored. is_there: the name is known to be its own.

        A workload that is there is given its labels again, and is applied no more.

        None when the name turned out to be taken, whoever has it. Raises ApiError.
        """
        if is_there and wanted["kind"] in WORKLOADS:
            return await self._relabelled(wanted)
        try:
            stored = await self._client.apply(wanted, create_only=not is_there)
        except ApiError as error:
            if error.code == 409 and not is_there:
                return None
            raise
        if key_of(stored)[0] in (*CHILD_TYPES, *EXTRA_TYPES):
            self._cache.put(stored)
            if self._cache.uid(key_of(wanted)) is not None:  # else it is gone already
                self._applied[key_of(wanted)] = digest_of(wanted)
        return stored

    async def _relabelled(self, wanted: Manifest) -> Manifest:
        """A workload that was out of sight, because somebody took its labels away. It goes on as it was started."""
        metadata = wanted["metadata"]
        labels = {"metadata": {"labels": metadata["labels"]}}
        stored = await self._client.patch(wanted["kind"], metadata["namespace"], metadata["name"], labels)
        self._cache.put(stored)
        return stored

    async def occupant(self, key: Key) -> Manifest | None:
        """Who has a name. One of our own that the cache did not know yet is taken up. Raises ApiError."""
        found = await self._client.get(key[0], key[1], key[2])
        if found is not None and OWNER_LABEL in (found["metadata"].get("labels") or {}):
            self._cache.put(found)
        return found

    async def patch(self, patch: Patch) -> None:
        """Change fields of a child that is in the cache, and no others. Raises ApiError."""
        target = patch.target
        key: Key = (target.kind, target.namespace or "", target.name)
        uid = self._cache.uid(key)
        try:
            self._cache.put(await self._client.patch(target.kind, target.namespace, target.name, patch.fields))
        except ApiError as error:
            if error.code != 404 or uid is None:
                raise
            self._cache.forget(key, uid)  # gone: the next decision knows

    async def delete(self, reference: ObjectRef) -> None:
        """Delete a child that is in the cache; a Job stays until its pods are gone. Raises ApiError."""
        key: Key = (reference.kind, reference.namespace or "", reference.name)
        uid = self._cache.uid(key)
        if uid is None:
            return
        await self._client.delete(reference.kind, reference.namespace, reference.name, uid)
        self._cache.mark_deleted(key, to_text(self._now()))

    async def report(self, resource: Manifest, status: Manifest) -> bool:
        """Write the status when it differs from that of `resource`; False when it does not.

        Raises ApiError, with code 409 when the resource has changed since it was looked at.
        """
        patch = merge_patch(resource.get("status") or {}, status)
        if not patch:
            return False
        metadata = resource["metadata"]
        kind, namespace, name = key = key_of(resource)
        body = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": patch}
        try:
            stored = await self._client.patch_status(kind, namespace or None, name, body)
        except ApiError as error:
            if error.code == 404:
                self._cache.forget(key, metadata["uid"])
            raise
        self._cache.put(stored)
        return True

    def forget(self, child: Key) -> None:
        """The child is gone."""
        self._applied.pop(child, None)
        self._normalised.pop(child, None)
