"""The poster against the operator's real server on loopback."""

import asyncio
import base64
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from swiftlet.observability import server_progress
from swiftlet.observability.authentication import Authenticator
from swiftlet.observability.progress import ProgressBoard
from swiftlet.observability.progress_payload import report_of
from swiftlet.observability.server import PROGRESS_LIMITS, HttpServer, progress_app
from swiftlet.observability.server_forward import Leadership
from swiftlet.observability.server_progress import ProgressEndpoint
from swiftlet.wire.messages import ProgressEvent
from swiftlet_trainer.progress_post import Poster, _retry_after, document, folded, poster_of, wished_interval


def owned(kind: str, name: str, uid: str, owner: str | None = None) -> dict[str, Any]:
    """An object that the object of kind `owner` controls."""
    metadata: dict[str, Any] = {"name": name, "namespace": "team", "uid": uid}
    if owner is not None:
        metadata["ownerReferences"] = [{"kind": owner, **NAMES[owner], "controller": True}]
    return {"kind": kind, "metadata": metadata}


NAMES = {"FineTuneJob": {"name": "bird", "uid": "uid-bird"}, "Job": {"name": "bird-train-0", "uid": "job-uid"}}
OBJECTS = {
    "Pod": owned("Pod", "bird-0", "pod-uid", "Job"),
    "Job": owned("Job", **NAMES["Job"], owner="FineTuneJob"),
    "FineTuneJob": owned("FineTuneJob", **NAMES["FineTuneJob"]),
}


def token_text(signature: str) -> str:
    """A projected token of the pod, as far as its claims go."""
    pod = {"namespace": "team", "pod": {"name": "bird-0", "uid": "pod-uid"}}
    claims = {"aud": ["swiftlet-operator"], "exp": time.time() + 86400, "kubernetes.io": pod}
    return f"header.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.{signature}"


PATIENCE = 60
"""Seconds: a bound for what hangs."""
GOOD, OLD = token_text("good"), token_text("old")


@dataclass
class Operator:
    """The server in a thread, letting in whoever has the good token."""

    good_token: str = GOOD
    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    url: str = ""
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    async def token_review(self, token: str, audiences: Sequence[str]) -> dict[str, Any]:
        prefix = "authentication.kubernetes.io/"
        extra = {f"{prefix}pod-name": ["bird-0"], f"{prefix}pod-uid": ["pod-uid"]}
        user = {"username": "system:serviceaccount:team:default", "extra": extra}
        good = token == self.good_token
        return {"status": {"authenticated": good, "audiences": list(audiences), "user": user if good else {}}}

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        return OBJECTS.get(kind)

    def refusals(self, code: int) -> float:
        return self.registry.get_sample_value("swiftlet_progress_reports_total", {"code": str(code)}) or 0.0

    def steps(self) -> list[int]:
        return [event["step"] for batch in self.batches for event in batch if "step" in event]


@pytest.fixture
def operator() -> Iterator[Operator]:
    found, ready, stop = Operator(), threading.Event(), asyncio.Event()
    board = ProgressBoard()
    taken = board.report

    def report(uid: str, events: list[dict[str, Any]]) -> None:
        found.batches.append(events)
        taken(uid, events)

    board.report = report  # type: ignore[method-assign]
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        endpoint = ProgressEndpoint(board, Authenticator(found), found, Leadership(), found.registry)
        server = HttpServer(progress_app(endpoint), PROGRESS_LIMITS, "127.0.0.1", 0)
        await server.start()
        found.url = f"http://127.0.0.1:{server.port}/progress/uid-bird"
        ready.set()
        await stop.wait()
        await server.stop()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(PATIENCE)
    yield found
    loop.call_soon_threadsafe(stop.set)
    thread.join(PATIENCE)
    loop.close()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{GOOD}\n")
    return file


def event(step: int | None = None, **fields: Any) -> ProgressEvent:
    said = {"step": step} if step is not None else {}
    return ProgressEvent(time="2026-01-01T12:00:00Z", **said, **fields)


def eventually(condition: Any, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def test_figures_are_throttled_and_the_last_ones_arrive(operator: Operator, token: Path) -> None:
    poster = Poster(operator.url, token, interval=60)
    poster.post(event(1))
    eventually(lambda: operator.steps() == [1])
    for step in range(2, 200):
        poster.post(event(step))
    time.sleep(0.3)
    assert operator.steps() == [1]
    poster.close()
    assert operator.steps() == [1, 199]


def test_a_phase_does_not_wait_and_takes_the_figures_along(operator: Operator, token: Path) -> None:
    poster = Poster(operator.url, token, interval=60)
    poster.post(event(1))
    eventually(lambda: operator.steps() == [1])
    poster.post(event(2))
    poster.post(event(type="phase", message="writing the artifact"))
    eventually(lambda: len(operator.batches) == 2)
    assert [said.get("step") or said["message"] for said in operator.batches[1]] == [2, "writing the artifact"]
    poster.close()


def test_the_token_is_read_anew(operator: Operator, token: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token.write_text(OLD)
    poster = Poster(operator.url, token, interval=0, first_pause=0.05)
    poster.post(event(1))
    eventually(lambda: operator.refusals(401) >= 2)
    token.write_text(GOOD)
    eventually(lambda: operator.steps() == [1])
    poster.close()
    said = capsys.readouterr().err
    assert said.count("progress cannot be posted") == 1
    assert "401" in said and OLD not in said


def test_what_can_never_be_taken_is_not_posted_again(operator: Operator, token: Path) -> None:
    poster = Poster(operator.url, token, interval=0, first_pause=0.05)
    poster.post(event(-1))
    eventually(lambda: operator.refusals(400) == 1)
    poster.post(event(2))
    eventually(lambda: operator.steps() == [2])
    poster.close()
    assert operator.refusals(400) == 1


def test_long_texts_are_cut_to_what_is_taken(operator: Operator, token: Path) -> None:
    poster = Poster(operator.url, token)
    poster.post(event(type="phase", message="x" * 5000))
    poster.close()
    assert operator.batches[0][0]["message"] == "x" * 1000


def test_an_operator_that_comes_late(operator: Operator, token: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        poster = Poster(f"http://127.0.0.1:{port}/progress", token, interval=0, first_pause=0.05)
        poster.post(event(1))
        poster.post(event(type="phase", message="training"))
        eventually(lambda: "progress cannot be posted" in capsys.readouterr().err)
    poster._url = operator.url
    eventually(lambda: len(operator.batches) > 0)
    poster.close()
    assert [said["type"] for said in operator.batches[0] if "type" in said] == ["phase"]
    assert operator.steps() == [1]


def test_an_operator_that_hangs_holds_up_nothing(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        poster = Poster(f"http://127.0.0.1:{silent.getsockname()[1]}/progress", token)
        started = time.monotonic()
        for step in range(1000):
            poster.post(event(step))
        poster.close(0.5)
        assert time.monotonic() - started < 2


def test_a_missing_token_file(operator: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poster = Poster(operator.url, tmp_path / "nowhere", first_pause=0.05)
    poster.post(event(1))
    eventually(lambda: "FileNotFoundError" in capsys.readouterr().err)
    poster.close()


def test_the_wait_that_the_operator_asks_for() -> None:
    assert [_retry_after(text) for text in ("7", None, "", "Wed, 21 Oct 2026 07:28:00 GMT")] == [7.0, 0.0, 0.0, 0.0]


def test_of_many_events_the_newest_are_kept() -> None:
    phases = [event(type="phase", message=str(number)) for number in range(150)]
    kept = folded(phases)
    assert [one.message for one in (kept[0], kept[-1])] == ["50", "149"]
    figures = [event(1), event(2), event(type="checkpoint", step=2), event(3), event(4)]
    assert [one.step for one in folded(figures)] == [2, 2, 4]


def test_only_what_was_said_is_posted() -> None:
    assert document(event(type="phase", message="m")) == {
        "time": "2026-01-01T12:00:00Z",
        "type": "phase",
        "message": "m",
    }


def test_texts_and_lists_of_reasons_are_cut_to_what_the_operator_takes() -> None:
    """One that is refused would take the counts of the same batch along."""
    compiled = event(type="compile", compilation={"reason": "CompileFailed", "message": "x" * 5000})
    rows = event(type="dataset", dataset={"read": 9, "dropped": {f"{n} {'y' * 2000}": 1 for n in range(100)}})
    report = report_of(json.dumps([document(compiled), document(rows)]).encode(), "2026-01-01T12:00:00Z")
    assert report.left_out == []
    assert len(report.events[1]["dataset"]["dropped"]) == 64


@pytest.mark.parametrize(
    ("environ", "posts"),
    [
        ({}, False),
        ({"SWIFTLET_PROGRESS_URL": "http://x"}, False),
        ({"SWIFTLET_PROGRESS_URL": "http://x", "SWIFTLET_PROGRESS_TOKEN": "/t"}, True),
        ({"SWIFTLET_PROGRESS_URL": "http://x", "SWIFTLET_PROGRESS_TOKEN": "/t", "JOB_COMPLETION_INDEX": "0"}, True),
        ({"SWIFTLET_PROGRESS_URL": "http://x", "SWIFTLET_PROGRESS_TOKEN": "/t", "JOB_COMPLETION_INDEX": "1"}, False),
    ],
)
def test_who_posts(environ: dict[str, str], posts: bool) -> None:
    assert (poster_of(environ) is not None) is posts


@pytest.mark.parametrize("ending", ["sys.exit(3)", "from swiftlet_trainer.training.worker import leave; leave(3)"])
def test_a_process_posts_its_last_words(operator: Operator, token: Path, ending: str) -> None:
    """Through the reporter, in a process of its own, by both ways that a process of ours ends."""
    code = f"""
import sys
from swiftlet_trainer.progress import Reporter
Reporter(enabled=False).emit(step=1)
Reporter().emit(type="phase", message="loading")
Reporter().emit(step=7, total_steps=9, loss="0.5")
{ending}
"""
    env = {"SWIFTLET_PROGRESS_URL": operator.url, "SWIFTLET_PROGRESS_TOKEN": str(token), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (3, "")
    said = [event for batch in operator.batches for event in batch]
    assert [one.get("message") or one["step"] for one in said] == ["loading", 7]
    assert said[1] | {"time": ""} == {"time": "", "step": 7, "totalSteps": 9, "loss": "0.5"}


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (b'{"accepted": 1, "intervalSeconds": 12.5}', 12.5),
        (b'{"accepted": 1, "intervalSeconds": 1e9}', 300.0),
        (b'{"accepted": 1, "intervalSeconds": "20"}', 20.0),
        (b'{"accepted": 1}', 0.0),
        (b'{"accepted": 1, "intervalSeconds": -3}', 0.0),
        (b'{"accepted": 1, "intervalSeconds": NaN}', 0.0),
        (b'{"accepted": 1, "intervalSeconds": null}', 0.0),
        (b"[1]", 0.0),
        (b"7", 0.0),
        (b"ok", 0.0),
        (b"\xff", 0.0),
        (b"", 0.0),
        (b"[" * 4096, 0.0),
    ],
)
def test_the_operator_may_ask_for_fewer_reports(answer: bytes, seconds: float) -> None:
    assert wished_interval(answer) == seconds


def test_what_the_operator_asks_for_is_honoured(
    operator: Operator, token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_progress, "report_seconds", lambda reporting: 60.0)
    poster = Poster(operator.url, token, interval=0)
    poster.post(event(1))
    eventually(lambda: operator.steps() == [1] and poster._figures_at > time.monotonic() + 30)
    poster.post(event(2))
    time.sleep(0.3)
    assert operator.steps() == [1]
    poster.post(event(type="phase", message="writing the artifact"))
    eventually(lambda: len(operator.batches) == 2)
    poster.close()
