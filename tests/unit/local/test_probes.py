"""Probes against real servers."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from swiftlet.local.probes import Tally, check, counted


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        code = 200 if self.path == "/ready" and self.headers.get("X-Who") == "probe" else 503
        self.send_response(code)
        self.end_headers()
        if self.path == "/slow":
            time.sleep(0.1)  # the body comes in a packet of its own
        self.wfile.write(b"ok" if code == 200 else b"loading the model")

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


async def no_command(command: list[str], seconds: float) -> int | None:
    raise AssertionError("not an exec probe")


def probe(container: dict[str, Any] | None = None, **spec: Any) -> str | None:
    return asyncio.run(check(spec, container or {}, no_command))


def test_http_by_port_name_with_headers(port: int) -> None:
    container = {"ports": [{"name": "health", "containerPort": port}]}
    get = {"path": "/ready", "port": "health", "httpHeaders": [{"name": "X-Who", "value": "probe"}]}
    assert probe(container, httpGet=get) is None


@pytest.mark.parametrize("path", ["/other", "/slow"])
def test_a_bad_answer_is_told_with_its_first_line(port: int, path: str) -> None:
    assert probe(httpGet={"path": path, "port": port}) == f"GET {path} answered 503: loading the model"


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "127.0.0.1" in (probe(tcpSocket={"port": port}) or "")


def test_an_open_port_is_enough_for_tcp(port: int) -> None:
    assert probe(tcpSocket={"port": port}) is None


def test_a_silent_server_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = probe(httpGet={"port": server.getsockname()[1]}, timeoutSeconds=0.2)
    assert words is not None and "within 0.2 s" in words


def test_exec_reports_code_and_time() -> None:
    async def execute(command: list[str], seconds: float) -> int | None:
        return {"good": 0, "bad": 4}.get(command[0])

    def run(word: str) -> str | None:
        return asyncio.run(check({"exec": {"command": [word]}}, {}, execute))

    assert run("good") is None
    assert run("bad") == "command ended with exit code 4"
    assert run("slow") == "command took longer than 1 s"


def test_thresholds_count_results_in_a_row() -> None:
    spec = {"failureThreshold": 2, "successThreshold": 2}
    tally, seen = Tally(), []
    for success in (True, True, False, True, False, False, True, True):
        tally = counted(tally, success, spec)
        seen.append(tally.ok)
    assert seen == [None, True, True, True, True, False, False, True]


@pytest.mark.parametrize(
    "probe",
    [
        {"httpGet": {"path": "/livez", "port": 9}},
        {"tcpSocket": {"port": 9}},
        {"exec": {"command": ["true"]}},
        {"exec": {"command": ["slow"]}, "timeoutSeconds": 0.01},
    ],
)
def test_a_cancellation_is_never_lost_whenever_it_comes(probe: dict[str, Any]) -> None:
    async def execute(command: list[str], seconds: float) -> int | None:
        try:
            async with asyncio.timeout(seconds):
                await asyncio.sleep(1 if command == ["slow"] else 0)
        except TimeoutError:
            return None
        return 0

    async def loop() -> None:
        while True:
            await check({"timeoutSeconds": 4, **probe}, {}, execute)
            await asyncio.sleep(0.01)

    async def lost() -> int | None:
        for ticks in range(60):
            task = asyncio.create_task(loop())
            for _ in range(ticks):
                await asyncio.sleep(0)
            task.cancel()
            if not (await asyncio.wait({task}, timeout=20))[0]:
                return ticks
        return None

    assert asyncio.run(lost()) is None
