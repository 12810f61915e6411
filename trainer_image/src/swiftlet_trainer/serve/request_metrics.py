"""Figures of requests for Prometheus, by served name. Names, meanings and buckets are vLLM's.

Source: vllm/v1/metrics (loggers.py, buckets.py, stats.py). A name that is not served never becomes a label.
"""

import threading
import time
from collections.abc import Iterable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENCY = (0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680)
FIRST_TOKEN = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560,
)  # fmt: skip
INTER_TOKEN = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
)  # fmt: skip
GAUGES = {
    "num_requests_running": "Requests that are computed.",
    "num_requests_waiting": "Requests that wait for those before them.",
}
COUNTERS = {
    "prompt_tokens": "Tokens of the prompts whose first token is made.",
    "generation_tokens": "Tokens made.",
}
HISTOGRAMS = {
    "time_to_first_token_seconds": ("From a request's arrival to its first token.", FIRST_TOKEN),
    "inter_token_latency_seconds": ("From one token of an answer to the next.", INTER_TOKEN),
    "e2e_request_latency_seconds": ("From arrival to end, of requests that were answered.", LATENCY),
    "request_queue_time_seconds": ("From arrival to the start of computing, of requests that were answered.", LATENCY),
}


class Outcome(StrEnum):
    """How a request ended: `finished_reason` of request_success. A client that leaves aborts it."""

    STOP = "stop"
    LENGTH = "length"
    ABORT = "abort"
    ERROR = "error"
    REPETITION = "repetition"


ANSWERED = (Outcome.STOP, Outcome.LENGTH, Outcome.REPETITION)


class Series:
    """The series of one served name."""

    def __init__(self, families: "Families", name: str) -> None:
        self.running, self.waiting = (families.gauges[one].labels(name) for one in GAUGES)
        self.prompt_tokens, self.generation_tokens = (families.counters[one].labels(name) for one in COUNTERS)
        self.first_token, self.inter_token, self.latency, self.queue_time = (
            families.histograms[one].labels(name) for one in HISTOGRAMS
        )
        self.ended = {one: families.success.labels(name, one) for one in Outcome}


class Families:
    """The families of `registry`, with `prefix` before their names."""

    def __init__(self, prefix: str, registry: CollectorRegistry) -> None:
        label = ("model_name",)
        self.gauges = {name: Gauge(prefix + name, text, label, registry=registry) for name, text in GAUGES.items()}
        self.counters = {
            name: Counter(prefix + name, text, label, registry=registry) for name, text in COUNTERS.items()
        }
        self.histograms = {
            name: Histogram(prefix + name, text, label, registry=registry, buckets=buckets)
            for name, (text, buckets) in HISTOGRAMS.items()
        }
        labels = ("model_name", "finished_reason")
        self.success = Counter(f"{prefix}request_success", "Requests by how they ended.", labels, registry=registry)


def series_by_name(prefix: str, names: Iterable[str], registry: CollectorRegistry) -> dict[str, Series]:
    """The series of each of `names`, all of them 0."""
    families = Families(prefix, registry)
    return {name: Series(families, name) for name in names}


class Meter:
    """The way of one request through an engine, in figures. Any thread may call."""

    def __init__(self, series: Series, prompt_tokens: int) -> None:
        self._series, self._prompt_tokens, self._lock = series, prompt_tokens, threading.Lock()
        self._arrived, self._waited = time.monotonic(), 0.0
        self._last: float | None = None
        self._stage: Gauge | None = None
        self._enter(series.waiting)

    def begin(self, waited: float | None = None) -> None:
        """The engine computes it, after `waited` seconds; by default all the time since it came."""
        with self._lock:
            if self._stage is self._series.waiting:
                self._waited = time.monotonic() - self._arrived if waited is None else waited
                self._enter(self._series.running)

    def tokens(self, count: int, at: float | None = None) -> None:
        """The engine has made `count` more tokens in one step, which ended `at` by its clock; by default now."""
        self.begin()
        if self._stage is None:
            return
        if self._last is None:
            self._series.prompt_tokens.inc(self._prompt_tokens)
            self._series.first_token.observe(time.monotonic() - self._arrived)
        last, self._last = self._last, time.monotonic() if at is None else at
        if last is not None:
            self._series.inter_token.observe(self._last - last)
        self._series.generation_tokens.inc(count)

    def leave(self) -> None:
        """Nobody waits for it any more. What is computed is ended by the engine, which is what `end` says then."""
        with self._lock:
            waits = self._stage is self._series.waiting
        if waits:
            self.end(Outcome.ABORT)

    def end(self, outcome: Outcome | None) -> None:
        """It is over: what is said of it later does not count. outcome: None for what was never answered."""
        with self._lock:
            if self._stage is None:
                return
            self._enter(None)
        if outcome is None:
            return
        self._series.ended[outcome].inc()
        if outcome in ANSWERED:
            self._series.latency.observe(time.monotonic() - self._arrived)
            self._series.queue_time.observe(self._waited)

    def _enter(self, stage: Gauge | None) -> None:
        if self._stage is not None:
            self._stage.dec()
        if stage is not None:
            stage.inc()
        self._stage = stage
