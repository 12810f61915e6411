"""What /metrics of the transformers engine shows."""

from collections.abc import Sequence
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.process_collector import ProcessCollector

from swiftlet_trainer.serve.request_metrics import Meter, series_by_name

PREFIX = "vllm:"
"""One dashboard shows both engines."""


class Refusal(StrEnum):
    """Why a request got 503 instead of an answer."""

    BUSY = "busy"
    STALLED = "stalled"


class EngineMetrics:
    """The figures of an engine that serves `names`."""

    def __init__(self, names: Sequence[str]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._series = series_by_name(PREFIX, names, self._registry)
        refused = Counter(
            "swiftlet_requests_refused",
            "Requests that got 503: they had waited for too long, or the computation before them hangs.",
            ("model_name", "reason"),
            registry=self._registry,
        )
        self._refused = {(name, reason): refused.labels(name, reason) for name in names for reason in Refusal}

    def meter(self, name: str, prompt_tokens: int) -> Meter:
        """Of a request to `name` that now waits."""
        return Meter(self._series[name], prompt_tokens)

    def refuse(self, name: str, reason: Refusal) -> None:
        """Count a request to `name` that is not answered."""
        self._refused[name, reason].inc()

    def page(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)
