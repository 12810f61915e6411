"""OpenTelemetry: spans of the operator go to a collector, where the environment names one.

The variables are OpenTelemetry's own (OTEL_EXPORTER_OTLP_ENDPOINT and its like), and so are their meanings. A collector
that does not answer costs the looks nothing: spans wait in a bounded queue, a thread of its own sends them, and what
does not fit is dropped.
"""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import swiftlet
from swiftlet.control.tracing import trace_by

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
TIMEOUT = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"
SEND_SECONDS = 5.0
"""For one batch, where the environment does not say otherwise."""
LAST_SECONDS = 3.0
"""For what is left when the operator ends."""

log = logging.getLogger(__name__)


@contextmanager
def tracing(environ: Mapping[str, str], identity: str) -> Iterator[None]:
    """Send spans while the block runs, if the environment names an endpoint. identity: of this replica."""
    endpoint = next((environ[name] for name in ENDPOINTS if environ.get(name)), None)
    if endpoint is None or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    about = {"service.version": swiftlet.__version__, "service.instance.id": identity}
    if not environ.get("OTEL_SERVICE_NAME"):
        about["service.name"] = "swiftlet-operator"
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    timeout = None if environ.get(TIMEOUT) or environ.get("OTEL_EXPORTER_OTLP_TIMEOUT") else SEND_SECONDS
    provider.add_span_processor(BatchSpanProcessor(telling(OTLPSpanExporter(timeout=timeout), endpoint)))
    trace_by(provider.get_tracer("swiftlet", swiftlet.__version__))
    log.info("spans go to %s", endpoint)
    try:
        yield
    finally:
        trace_by(None)
        # A collector that is gone must not hold up the end.
        last = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
        last.start()
        last.join(LAST_SECONDS)


def telling(exporter: "SpanExporter", endpoint: str) -> "SpanExporter":
    """`exporter`, which says once that the endpoint does not take spans, and once that it does again."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    why = _LastWords()
    quiet = logging.getLogger("opentelemetry")
    quiet.handlers, quiet.propagate = [why], False

    class Telling(SpanExporter):
        def __init__(self) -> None:
            self._reaches = True

        def export(self, spans: "Sequence[ReadableSpan]") -> "SpanExportResult":
            result = exporter.export(spans)
            reaches = result is SpanExportResult.SUCCESS
            if reaches is not self._reaches:
                self._reaches = reaches
                if reaches:
                    log.info("%s takes spans again", endpoint)
                else:
                    log.warning("%s takes no spans, and they are dropped until it does: %s", endpoint, why.text)
            return result

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            return exporter.force_flush(timeout_millis)

    return Telling()


class _LastWords(logging.Handler):
    """What OpenTelemetry said last; it would say it with every batch."""

    text = "no reason given"

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()
