"""What one reconcile sees (`kinds.reading.Reader`), and what it would have liked to see."""

from collections.abc import Callable
from typing import Any

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.control.keys import Key
from swiftlet.kinds.frame.reading import Complaint
from swiftlet.kinds.owning.owners import owned_by
from swiftlet.kinds.references.watched import references
from swiftlet.kube.cache import Cache
from swiftlet.kube.paths import CHILD_TYPES, OWN_TYPES

Manifest = dict[str, Any]

LOOKED_UP = frozenset({"ConfigMap", "PersistentVolumeClaim", "Workload"})
"""Kinds whose objects are asked for one by one when a document, or a Job's queue, names them. Secrets are never
read."""


class ClusterReader:
    """Reads from the cache and from what was looked up for this reconcile; it never blocks.

    Where it cannot know, it answers None. The name is noted in `missing` when a document names the object, so that it
    has to be looked up. Other names are those of children to be made; no lookup is spent on them, since the API server
    refuses their creation if somebody else has the name already.
    """

    def __init__(
        self,
        cache: Cache,
        resource: Manifest,
        live: dict[Key, Manifest | None],
        fresh: Callable[[Key], Manifest | None],
        progress: Callable[[str], dict[str, Any] | None],
        complaint: Callable[[Manifest], Complaint | None],
        default_profile: ComputeProfileSpec | None = None,
        serves: Callable[[str], bool] = lambda kind: False,
    ) -> None:
        """live: looked up for this reconcile; None is a name without an object. fresh: found by others lately.
        complaint: what is known of a Job's. default_profile: of resources that name none, where there is no
        ComputeProfile of that name. serves: whether a kind is there that need not be."""
        self._cache, self._resource, self._live, self._fresh = cache, resource, live, fresh
        self._progress, self._complaint, self.serves = progress, complaint, serves
        self._named: set[Key] | None = None
        bundle = default_profile.ca_bundle if default_profile else None
        self._bundles = {bundle.config_map_ref.name} if bundle else set()
        """ConfigMaps of authorities, which profiles name."""
        self.watched: set[Key] = set()
        """Names whose change the operator will see."""
        self.unwatched: set[Key] = set()
        """Names whose change the operator will not see by itself."""
        self.missing: set[Key] = set()
        """Names that have to be looked up before the decision counts."""
        self.hindered: list[Manifest] = []
        """Jobs whose controllers should be asked what keeps them from making pods."""

    def get(self, kind: str, namespace: str | None, name: str) -> Manifest | None:
        key: Key = (kind, namespace or "", name)
        found = None if self._wants_content(key) else self._cache.get(key)
        if kind in OWN_TYPES or (found is not None and not self._is_own(found)):
            self.watched.add(key)
        if kind == "ComputeProfile" and found is not None and (bundle := found["spec"].get("caBundle")):
            self._bundles.add(bundle["configMapRef"]["name"])
        if found is not None or kind in OWN_TYPES:
            return found
        found = self._live[key] if key in self._live else self._fresh(key)
        if found is None and key not in self._live and self._must_look(key):
            self.missing.add(key)
        if found is not None or kind in LOOKED_UP:
            self.unwatched.add(key)
        return found

    def children(self, namespace: str, owner_uid: str) -> list[Manifest]:
        return self._cache.children(namespace, owner_uid)

    def progress(self, uid: str) -> dict[str, Any] | None:
        return self._progress(uid)

    def complaint(self, job: Manifest) -> Complaint | None:
        self.hindered.append(job)
        return self._complaint(job)

    def _must_look(self, key: Key) -> bool:
        return key[0] in LOOKED_UP and (key[0] not in CHILD_TYPES or self._is_named(key))

    def _wants_content(self, key: Key) -> bool:
        """Data that a document names is asked for, also where the cache has the object: it has its metadata alone."""
        return key[0] in CHILD_TYPES and CHILD_TYPES[key[0]].metadata_only and self._is_named(key)

    def _is_named(self, key: Key) -> bool:
        if self._named is None:
            self._named = named_by(self._resource)
        return key in self._named or (key[0] == "ConfigMap" and key[2] in self._bundles)

    def _is_own(self, child: Manifest) -> bool:
        return owned_by(child, self._resource["metadata"]["uid"])


def named_by(resource: Manifest) -> set[Key]:
    """The objects that a document names and that have to be looked up."""
    return {
        (found.kind, found.namespace or "", found.name) for found in references(resource) if found.kind in LOOKED_UP
    }
