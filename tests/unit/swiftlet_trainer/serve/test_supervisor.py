"""The supervisor of processes that die, hang and listen: small real programs in place of an engine."""

import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.serve.engine import PROBLEM_PREFIX, EngineProcess
from swiftlet_trainer.serve.health import State
from swiftlet_trainer.serve.supervisor import EngineDied, PortInUse, Supervisor, cause_of
from swiftlet_trainer.serve.warming import AnswersMixed, LogitsNotFinite

SERVER = """
import json, os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
print("Loading it", flush=True)
class Handler(BaseHTTPRequestHandler):
    def answer(self, content, status=200):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if self.path == "/health" and os.path.exists(os.environ.get("SICK", "")):
            return self.answer({"error": {"message": "it hangs"}}, 503)
        ok = self.headers.get("Authorization") == "Bearer k3y" or self.path == "/health"
        self.answer({"data": [{"id": "base"}, {"id": "bird"}]} if ok else {}, 200 if ok else 401)
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print("ASKED", asked["model"], asked["max_tokens"], flush=True)
        name, self.text = asked["model"], asked["model"]
        if asked["temperature"] and name == os.environ.get("NAN"):
            print("RuntimeError: probability tensor contains either `inf`, `nan` or element < 0", flush=True)
            return self.answer({}, 500)
        if os.environ.get("MIXED") and self.others():
            self.text = "bird"
        self.answer({"choices": [{"text": self.text}]}, 500 if name == os.environ.get("BROKEN") else 200)
    asked, pair = 0, threading.Barrier(2)
    def others(self):
        Handler.asked += 1
        if Handler.asked <= 4:  # two names alone, each twice
            return False
        self.pair.wait(30)
        return True
    def log_message(self, *a): pass
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
def end(*a):
    print("DRAINED", flush=True)
    if os.environ.get("DEAF"): return
    threading.Thread(target=server.shutdown).start()
signal.signal(signal.SIGTERM, end)
threading.Thread(target=lambda: (time.sleep(float(os.environ.get("LIFE", 3600))), os._exit(9)), daemon=True).start()
server.serve_forever()
"""


@pytest.fixture
def port(free_port: Callable[[], int]) -> int:
    return free_port()


@pytest.fixture
def supervisor(port: int) -> Callable[..., tuple[Supervisor, State, threading.Event, list[str]]]:
    def build(program: str, kill_after: float = 10, **env: str) -> tuple[Supervisor, State, threading.Event, list[str]]:
        engine = EngineProcess(
            name="transformers",
            command=[sys.executable, "-c", program, str(port)],
            env=env,
            phases=[(re.compile("^Loading"), "loading weights")],
            noise=re.compile("^NOISE"),
            kill_after_seconds=kill_after,
        )
        state, stop, phases = State(), threading.Event(), list[str]()
        url = f"http://127.0.0.1:{port}"
        return (
            Supervisor(engine, url, "k3y", ["base", "bird"], port, state, stop, phases.append),
            state,
            stop,
            phases,
        )

    return build


def _until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited for 60 s"
        time.sleep(0.02)


def test_ready_only_after_every_name_answered_a_token(supervisor: Any, capfd: pytest.CaptureFixture[str]) -> None:
    one, state, stop, phases = supervisor(SERVER)
    thread = threading.Thread(target=one.run)
    thread.start()
    _until(lambda: state.readyz()[0] == 200)
    assert state.readyz()[1]["names"] == ["base", "bird"]
    assert one.problem() is None
    stop.set()
    thread.join()
    assert phases[:2] == ["starting transformers", "loading weights"]
    assert phases[2:5] == ["warming base", "warming bird", "asking all names at the same time"]
    out = capfd.readouterr().out
    assert out.index("ASKED base 1") < out.index("ASKED bird 1") < out.index("DRAINED")
    assert one.problem() == "the engine's process has ended"


def test_death_before_ready_tells_cause_and_last_lines(supervisor: Any) -> None:
    program = "import sys\nfor i in range(60): print('line', i)\nprint('NOISE')\nraise ValueError('no such weights')"
    one, state, _, _ = supervisor(program)
    with pytest.raises(EngineDied) as caught:
        one.run()
    assert str(caught.value) == "transformers ended with exit code 1: ValueError: no such weights"
    assert len(caught.value.lines) == 40
    assert caught.value.lines[-1] == "ValueError: no such weights"
    assert "NOISE" not in caught.value.lines
    assert state.readyz()[0] == 503


def test_engine_that_says_that_it_hangs_is_not_alive(
    supervisor: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one, state, stop, _ = supervisor(SERVER, SICK=str(tmp_path / "sick"))
    thread = threading.Thread(target=one.run)
    thread.start()
    _until(lambda: state.readyz()[0] == 200)
    assert state.livez()[0] == 200
    (tmp_path / "sick").touch()
    assert [state.livez() for _ in range(3)] == [(503, {"phase": "it hangs"})] * 3
    stop.set()
    thread.join()
    assert capfd.readouterr().out.count("not alive: it hangs") == 1


def test_death_while_serving_is_noticed(supervisor: Any) -> None:
    one, _, _, _ = supervisor(SERVER, LIFE="2")
    with pytest.raises(EngineDied, match="exit code 9"):
        one.run()


def test_death_by_signal_names_the_signal(supervisor: Any) -> None:
    one, _, _, _ = supervisor("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(EngineDied, match="signal SIGKILL"):
        one.run()


def test_name_that_gives_no_token_fails_the_start(supervisor: Any) -> None:
    one, _, _, _ = supervisor(SERVER, BROKEN="bird")
    with pytest.raises(EngineDied, match="no token for bird: HTTP 500"):
        one.run()


def test_base_that_answers_as_an_adapter_beside_it_never_becomes_ready(supervisor: Any) -> None:
    one, state, _, _ = supervisor(SERVER, MIXED="1")
    with pytest.raises(AnswersMixed, match="base answers as bird when both are asked at the same time"):
        one.run()
    assert state.readyz()[0] == 503


def test_name_whose_logits_are_not_finite_never_becomes_ready(supervisor: Any) -> None:
    one, state, _, _ = supervisor(SERVER, NAN="bird")
    with pytest.raises(LogitsNotFinite, match="bird: its logits are NaN or infinite"):
        one.run()
    assert state.readyz()[0] == 503


def test_refused_arguments_are_bad_input(supervisor: Any) -> None:
    said = [f"{PROBLEM_PREFIX}engine.args: --{flag}: no" for flag in "xy"]
    program = f"print(*{said!r}, sep='\\n'); exit(2)"
    one, _, _, _ = supervisor(program)
    with pytest.raises(InvalidInput) as caught:
        one.run()
    assert caught.value.problems == ["engine.args: --x: no", "engine.args: --y: no"]


def test_port_taken_by_another_is_named(supervisor: Any, port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        one, _, _, _ = supervisor("import socket, sys; socket.socket().bind(('127.0.0.1', int(sys.argv[1])))")
        with pytest.raises(PortInUse, match=str(port)):
            one.run()


def test_engine_that_ignores_sigterm_is_killed(supervisor: Any, capfd: pytest.CaptureFixture[str]) -> None:
    one, state, stop, _ = supervisor(SERVER, kill_after=0.5, DEAF="1")
    thread = threading.Thread(target=one.run)
    thread.start()
    _until(lambda: state.readyz()[0] == 200)
    stop.set()
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert "did not end within" in capfd.readouterr().out


def test_stop_during_the_start_ends_without_an_error(supervisor: Any) -> None:
    one, _, stop, phases = supervisor("import time; time.sleep(3600)")
    thread = threading.Thread(target=one.run)
    thread.start()
    _until(lambda: phases)
    stop.set()
    thread.join(timeout=60)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (["(EngineCore pid=1) ERROR 11-24 12:00:00 [core.py:12] ValueError: too small"], ": ValueError: too small"),
        (["torch.OutOfMemoryError: no room", "INFO bye"], ": torch.OutOfMemoryError: no room"),
        (
            [
                "(APIServer pid=1) pydantic_core.ValidationError: 1 validation error for LoRAConfig",
                "(APIServer pid=1)   Value error, max_cpu_loras (1) must be >= max_loras (2)",
                "(APIServer pid=1)     For further information visit https://errors.pydantic.dev",
            ],
            ": pydantic_core.ValidationError: 1 validation error for LoRAConfig;"
            " Value error, max_cpu_loras (1) must be >= max_loras (2)",
        ),
        (["all is well"], ""),
    ],
)
def test_cause_is_the_last_line_that_names_an_error(lines: list[str], cause: str) -> None:
    assert cause_of(lines) == cause
