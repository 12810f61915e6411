"""Series of single resources, for as many of them as are allowed."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from swiftlet.control.keys import key_of
from swiftlet.kinds import RECONCILERS
from swiftlet.kube.cache import Cache
from swiftlet.observability.remembered import Remembered
from swiftlet.observability.run_series import FAMILIES, IDENTITY, Object, Sample, devices, is_running, samples


class RunCollector(Collector):
    """What `run_series` says of each resource. One that has something to say and is over the limit is counted."""

    def __init__(self, cache: Cache, is_leading: Callable[[], bool], limit: int) -> None:
        """limit: resources that have series. is_leading: a standby's cache is empty, and it says nothing."""
        self._cache, self._is_leading, self._limit = cache, is_leading, limit
        self._seen = Remembered(cache, lambda resource: _Seen(cache, resource))

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
            for sample in (*one.samples, *self._devices(one)):
                families[sample.family.name].add_metric(sample.labels, sample.value)
        for kind in RECONCILERS if self._is_leading() else ():
            omitted.add_metric([kind], sum(one.key[0] == kind for one in seen[self._limit :]))
        yield from families.values()
        yield omitted

    def _look(self) -> list["_Seen"]:
        """Those with something to say: what runs before what has ended, the newest first."""
        seen = [one for kind in RECONCILERS for one in self._seen.of(kind) if one.speaks]
        return sorted(seen, key=lambda one: one.order, reverse=True)

    def _devices(self, seen: "_Seen") -> Iterable[Sample]:
        """Not kept: a Job's pods begin and end without a word of its resource."""
        return devices(seen.key, self._cache.children(seen.key[1], seen.uid)) if seen.is_running else ()


class _Seen:
    """A version of a resource."""

    def __init__(self, cache: Cache, resource: Object) -> None:
        self._cache, self.key = cache, key_of(resource)
        self.uid: str = resource["metadata"]["uid"]
        self.is_running = is_running(resource)
        self.speaks = next(samples(resource), None) is not None
        self.order = (self.is_running, resource["metadata"].get("creationTimestamp") or "", self.key)

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """Made for those alone that are shown: there may be many more."""
        resource = self._cache.get(self.key)
        return tuple(samples(resource)) if resource else ()
