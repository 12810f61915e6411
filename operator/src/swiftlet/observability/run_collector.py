"""Series of single resources, for as many of them as are allowed."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from swiftlet.kinds import RECONCILERS
from swiftlet.kube.cache import Cache, Key
from swiftlet.observability.run_series import FAMILIES, IDENTITY, Object, Sample, devices, is_running, samples


class RunCollector(Collector):
    """What `run_series` says of each resource. A resource that is over the limit is counted, not shown."""

    def __init__(self, cache: Cache, is_leading: Callable[[], bool], limit: int) -> None:
        """limit: resources that have series. is_leading: a standby's cache is empty, and it says nothing."""
        self._cache, self._is_leading, self._limit = cache, is_leading, limit
        self._known: dict[Key, _Seen] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The families, without series while another replica leads."""
        families = {
            one.name: GaugeMetricFamily(one.name, one.text, labels=(*IDENTITY, *one.labels)) for one in FAMILIES
        }
        omitted = GaugeMetricFamily(
            "swiftlet_resources_without_series",
            "Resources that have no series of their own: there are more than --series-limit.",
            labels=["kind"],
        )
        seen = self._look() if self._is_leading() else []
        for one in seen[: self._limit]:
            for sample in (*self._samples(one), *self._devices(one)):
                families[sample.family.name].add_metric(sample.labels, sample.value)
        for kind in RECONCILERS if self._is_leading() else ():
            omitted.add_metric([kind], sum(1 for one in seen[self._limit :] if one.key[0] == kind))
        yield from families.values()
        yield omitted

    def _look(self) -> list["_Seen"]:
        """Every resource: those that run before those that have ended, the newest first."""
        before, self._known = self._known, {}
        for key in (key for kind in RECONCILERS for key in self._cache.keys(kind)):
            version, found = self._cache.version(key), before.get(key)
            if (found is None or found.version != version) and (resource := self._cache.get(key)) is not None:
                found = _Seen(key, version, resource)
            if found is not None:
                self._known[key] = found
        return sorted(self._known.values(), key=lambda one: one.order, reverse=True)

    def _devices(self, seen: "_Seen") -> Iterable[Sample]:
        """Not kept: a Job's pods begin and end without a word of its resource."""
        return devices(seen.key, self._cache.children(seen.key[1], seen.uid)) if seen.is_running else ()

    def _samples(self, seen: "_Seen") -> Iterable[Sample]:
        if seen.samples is None:
            resource = self._cache.get(seen.key)
            seen.samples = tuple(samples(resource)) if resource else ()
        return seen.samples


class _Seen:
    """A version of a resource, so that a question costs little for what has not changed since the last."""

    def __init__(self, key: Key, version: int | None, resource: Object) -> None:
        self.key, self.version = key, version
        self.uid: str = resource["metadata"]["uid"]
        self.is_running = is_running(resource)
        self.order = (self.is_running, resource["metadata"].get("creationTimestamp") or "", key)
        self.samples: tuple[Sample, ...] | None = None
