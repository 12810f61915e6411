"""Spans of a look arrive at a collector, its log lines name the trace, and a collector that is gone is told once."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.control.controller import Controller
from swiftlet.control.reconciling import Reconciling
from swiftlet.kinds import Capabilities
from swiftlet.kube.cache import Cache
from swiftlet.kube.following import Following
from swiftlet.kube.store import ClusterStore
from swiftlet.observability.logs import JsonFormatter
from swiftlet.observability.tracing import tracing

PROFILE = ComputeProfileSpec.model_validate({"images": {"trainer": "t", "server": "s"}})
JOB = {
    "apiVersion": "swiftlet.dev/v1alpha1",
    "kind": "FineTuneJob",
    "metadata": {"name": "bird", "namespace": "team", "uid": "0a1b2c3d", "generation": 1, "resourceVersion": "1"},
    "spec": {"model": {"uri": "hf://org/bird"}, "datasets": [{"uri": "pvc://rows/a.jsonl"}]},
}


class Collector(HTTPServer):
    """Takes OTLP by HTTP, as a collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.code = 200

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.code == 200:
            assert self.path == "/v1/traces"
            for part in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.server.resources.append({one.key: one.value.string_value for one in part.resource.attributes})
                self.server.spans += [span for scope in part.scope_spans for span in scope.spans]
        self.send_response(self.server.code)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Server:
    """The API server: stores what is written."""

    def __init__(self) -> None:
        self.version = 1

    async def get(self, kind: str, namespace: str | None, name: str) -> Any:
        if kind == "PersistentVolumeClaim":
            return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace, "uid": name}}
        return None

    async def apply(self, manifest: Any, create_only: bool = False) -> Any:
        self.version += 1
        metadata = {**manifest["metadata"], "uid": f"child-{self.version}", "resourceVersion": str(self.version)}
        return {**manifest, "metadata": metadata}

    async def patch_status(self, kind: str, namespace: str | None, name: str, patch: Any) -> Any:
        self.version += 1
        return {**JOB, "metadata": {**JOB["metadata"], "resourceVersion": str(self.version)}, "status": patch["status"]}  # type: ignore[dict-item]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


@contextmanager
def otel_environment(monkeypatch: pytest.MonkeyPatch, address: str, **more: str) -> Iterator[None]:
    """Spans go to `address`, soon."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "20", **more}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with tracing(environ, "replica-a"):
        yield


def look(lines: list[dict[str, Any]]) -> None:
    """One look at a new FineTuneJob; its log lines, as JSON."""

    async def scenario() -> None:
        cache = Cache()
        log = logging.getLogger("swiftlet.test")

        def tell(resource: Any, event: Any) -> None:
            lines.append(json.loads(JsonFormatter().format(log.makeRecord(log.name, 20, "", 0, "told", (), None))))

        def now() -> datetime:
            return datetime.now(UTC)

        store = ClusterStore(Server(), cache, now, PROFILE, tell=tell)  # type: ignore[arg-type]
        controller = Controller(Reconciling(store, Capabilities(default_profile=PROFILE), now))
        controller.start(1)
        Following(cache, controller).seen({**JOB, "status": {"conditions": [WAITED]}})
        async with asyncio.timeout(60):
            while not lines:
                await asyncio.sleep(0.01)
        await controller.drain(60)

    asyncio.run(scenario())


WAITED = {"type": "Accepted", "status": "Unknown", "reason": "ReferenceNotFound", "message": ""}
"""So that the look has something to tell."""


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_look_is_a_trace_of_what_was_applied_and_its_log_lines_name_it(
    monkeypatch: pytest.MonkeyPatch, collector: Collector
) -> None:
    lines: list[dict[str, Any]] = []
    with otel_environment(monkeypatch, collector.address):
        look(lines)
    spans = {span.name: span for span in collector.spans}
    root = spans["reconcile FineTuneJob"]
    children = {name for name, span in spans.items() if span.parent_span_id == root.span_id}
    assert {"apply NetworkPolicy", "apply Job", "status FineTuneJob"} == children
    assert {span.trace_id for span in spans.values()} == {root.trace_id}
    about = {one.key: one.value for one in root.attributes}
    assert about["k8s.namespace.name"].string_value == "team" and about["swiftlet.name"].string_value == "bird"
    assert about["swiftlet.result"].string_value == "written" and about["swiftlet.reconcile"].int_value > 0
    job = {one.key: one.value.string_value for one in spans["apply Job"].attributes}
    assert (job["swiftlet.name"], job["swiftlet.attempt"]) == ("bird-train-0", "0")
    who = {"service.name": "swiftlet-operator", "service.instance.id": "replica-a"}
    assert collector.resources[0].items() >= who.items()
    assert lines[0]["trace_id"] == root.trace_id.hex()


def test_without_an_endpoint_nothing_is_sent_and_no_line_names_a_trace(collector: Collector) -> None:
    lines: list[dict[str, Any]] = []
    with tracing({}, "replica-a"):
        look(lines)
    assert lines and "trace_id" not in lines[0] and collector.spans == []


def test_a_collector_that_is_gone_is_told_once_and_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "swiftlet.observability.tracing")
    collector.code = 400
    said = lambda: [record.getMessage() for record in caplog.records]  # noqa: E731
    with otel_environment(monkeypatch, collector.address):
        look([])
        wait_for(lambda: any("takes no spans" in line for line in said()))
        look([])
        time.sleep(0.2)
        collector.code = 200
        look([])
        wait_for(lambda: any("takes spans again" in line for line in said()))
    first, gone, back = said()
    assert first == f"spans go to {collector.address}" and back == f"{collector.address} takes spans again"
    assert gone.startswith(f"{collector.address} takes no spans, and they are dropped until it does: ")
    assert "400" in gone
    assert collector.spans


def test_the_end_does_not_wait_for_a_collector_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    started = 0.0
    with otel_environment(monkeypatch, "http://127.0.0.1:9"):
        look([])
        started = time.monotonic()
    assert time.monotonic() - started < 30
