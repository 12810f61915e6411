"""Processes of a bed: real ones, and a real HTTP server to be ready."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.beds import Bed, start_time
from testbed.errors import TestBedError
from testbed.processes import Command, Process


@pytest.fixture
def bed(own_root: Path) -> Iterator[Bed]:
    made = Bed.create()
    yield made
    made.end()


def shell(bed: Bed, script: str, **fields: tuple[str, ...]) -> Process:
    return Process(bed, Command("script", ["sh", "-c", script], {"GREETING": "hello"}, **fields))


def logged(process: Process, text: str) -> bool:
    """Whether the log comes to hold a text."""
    deadline = time.monotonic() + 30
    while text not in process.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    return text in process.log.read_text()


def test_output_goes_to_a_log_that_restarts_append_to(bed: Bed) -> None:
    for times in (1, 2):
        process = shell(bed, "echo $GREETING; echo trouble >&2; exec sleep 60")
        assert logged(process, "hello\ntrouble\n" * times)
        process.stop()
    assert process.log == bed.logs / "script.log"
    assert process.log.read_text().split() == ["hello", "trouble"] * 2


def test_a_prefix_executes_it_elsewhere_under_the_same_pid(bed: Bed) -> None:
    process = shell(bed, "echo $$ $PREFIXED; exec sleep 60", prefix=("env", "PREFIXED=yes"))
    assert logged(process, f"{process.pid} yes")


def test_its_record_tells_pid_and_start(bed: Bed) -> None:
    process = shell(bed, "exec sleep 60")
    record = json.loads((bed.folder / "processes" / "script.json").read_text())
    assert (record["pid"], record["started"]) == (process.pid, start_time(process.pid))


def test_stopping_asks_first(bed: Bed) -> None:
    process = shell(bed, "trap 'echo bye; exit 0' TERM; echo ready; while true; do sleep 0.05; done")
    assert logged(process, "ready")
    process.stop()
    assert not process.running
    assert logged(process, "bye")
    process.stop()  # once more does no harm


def test_stopping_insists(bed: Bed) -> None:
    process = shell(bed, "trap 'echo no' TERM; echo ready; while true; do sleep 0.05; done")
    assert logged(process, "ready")
    process.stop(seconds=0.3)
    assert process.ended_with == -signal.SIGKILL
    assert logged(process, "no")


SERVER = """
import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if time.monotonic() > began + 0.5 else 503)
        self.end_headers()
began = time.monotonic()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.mark.parametrize("prefix", [(), ("env", "PREFIXED=yes")], ids=["here", "elsewhere"])
def test_it_is_ready_when_its_url_answers_200(bed: Bed, prefix: tuple[str, ...]) -> None:
    port = bed.free_port()
    began = time.monotonic()
    process = Process(bed, Command("server", [sys.executable, "-c", SERVER, str(port)], {}))
    process.wait_ready(f"http://127.0.0.1:{port}/", prefix=prefix)
    assert time.monotonic() - began > 0.4  # not at the first answer, which was 503


def test_who_ends_before_being_ready_is_told_with_the_log(bed: Bed) -> None:
    process = shell(bed, "echo the disk is on fire; exit 3")
    with pytest.raises(TestBedError, match=r"(?s)script ended with code 3:\nthe disk is on fire\n\(log: .*script.log"):
        process.wait_ready("http://127.0.0.1:9/")


def test_who_is_never_ready_is_told_with_the_last_answer(bed: Bed) -> None:
    process = shell(bed, "exec sleep 60")
    with pytest.raises(TestBedError, match=r"script is not ready after 0 s \(.*refused"):
        process.wait_ready(f"http://127.0.0.1:{bed.free_port()}/", seconds=0.3)
