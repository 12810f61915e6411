"""The operator's figures for Prometheus. No label holds a name that people choose, so the number of series is bounded.

Units are seconds and counts, as Prometheus' naming rules ask.
"""

import sys
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from swiftlet.control.telemetry import Telemetry
from swiftlet.kinds import RECONCILERS
from swiftlet.kube.cache import Cache
from swiftlet.observability.remembered import Remembered

State = tuple[str, str, str]
"""Type, status and reason of a condition."""

LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Bounds of histograms in seconds."""


def new_registry() -> CollectorRegistry:
    """A registry with the figures of the process itself: memory, processor time, open files, garbage collection."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


class Metrics(Telemetry):
    """`control.telemetry.Telemetry` as series of a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"swiftlet_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, *labels: str) -> Histogram:
            return Histogram(f"swiftlet_{name}", text, labels, registry=registry, buckets=LATENCY)

        self._requests = counter("api_requests", "Requests to the API server.", "verb", "kind", "code")
        self._request_time = histogram("api_request_seconds", "Time to an answer of the API server.", "verb", "kind")
        self._reconciles = counter("reconciles", "Looks at resources by their result.", "kind", "result")
        self._reconcile_time = histogram("reconcile_seconds", "Time of one look at a resource.", "kind")
        self._first_write = histogram(
            "event_to_write_seconds", "Time from the event that asked for a look to its first write.", "kind"
        )
        self._retries = counter("reconcile_retries", "Looks that are repeated after an error.", "kind")
        self._waited = histogram("queue_wait_seconds", "Time that a resource waited for its look.", "kind")
        self._depth = Gauge("swiftlet_queue_depth", "Resources that wait for a look.", registry=registry)
        self._watched = counter("watch_events", "Events of watches.", "kind", "type")
        self._relists = counter("relists", "Full listings of a kind.", "kind")
        self._repaired = counter("relist_repairs", "Objects of the cache that a listing corrected.", "kind")
        self._dropped = counter("dropped_events", "Kubernetes Events that were not written.")
        self.leading = Gauge("swiftlet_leader", "1 while this replica leads, else 0.", registry=registry)

    def requested(self, verb: str, kind: str, code: int, seconds: float) -> None:
        self._requests.labels(verb, kind, str(code) if code else "none").inc()
        self._request_time.labels(verb, kind).observe(seconds)

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        self._reconciles.labels(kind, result).inc()
        self._reconcile_time.labels(kind).observe(seconds)

    def first_write(self, kind: str, seconds: float) -> None:
        self._first_write.labels(kind).observe(seconds)

    def queued(self, depth: int) -> None:
        self._depth.set(depth)

    def started(self, kind: str, waited: float) -> None:
        self._waited.labels(kind).observe(waited)

    def retried(self, kind: str) -> None:
        self._retries.labels(kind).inc()

    def watched(self, kind: str, type_: str) -> None:
        self._watched.labels(kind, type_).inc()

    def relisted(self, kind: str, repaired: int, seconds: float) -> None:
        self._relists.labels(kind).inc()
        self._repaired.labels(kind).inc(repaired)

    def event_dropped(self) -> None:
        self._dropped.inc()


class ResourceCollector(Collector):
    """Resources by kind and condition, counted when they are asked for."""

    def __init__(self, cache: Cache, is_leading: Callable[[], bool]) -> None:
        """is_leading: a standby has an empty cache, and must not report that there is nothing."""
        self._cache, self._is_leading = cache, is_leading
        self._states = Remembered(cache, _states)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The families, without series while another replica leads."""
        total = GaugeMetricFamily("swiftlet_resources", "Resources by kind.", labels=["kind"])
        states = GaugeMetricFamily(
            "swiftlet_resource_conditions",
            "Resources by kind, condition and its status.",
            labels=["kind", "condition", "status", "reason"],
        )
        if self._is_leading():
            for kind in RECONCILERS:
                total.add_metric([kind], self._cache.count(kind))
                for labels, count in self._tally(kind).items():
                    states.add_metric([kind, *labels], count)
        yield total
        yield states

    def _tally(self, kind: str) -> Tally[State]:
        return Tally(state for states in self._states.of(kind) for state in states)


def _states(resource: dict[str, Any]) -> tuple[State, ...]:
    conditions = (resource.get("status") or {}).get("conditions") or []
    words = ("type", "status", "reason")
    return tuple((*(sys.intern(condition[word]) for word in words),) for condition in conditions)  # type: ignore[misc]
