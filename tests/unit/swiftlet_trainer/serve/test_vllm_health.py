"""The loop of an engine that answers, works, hangs, heals and fails: tasks of this process in its place."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from swiftlet_trainer.serve import vllm_health
from swiftlet_trainer.serve.vllm_health import STALL_VARIABLE, EngineHealth, Loop, cpu_seconds_below

STALL = 0.3


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_health, "ANSWER_SECONDS", 0.02)


class _Engine:
    """Answers calls while its gate is open; counts them, and the CPU time that it is said to have used."""

    def __init__(self) -> None:
        self.gate, self.calls, self.used = asyncio.Event(), 0, 0.0
        self.gate.set()

    async def call(self) -> bool:
        self.calls += 1
        await self.gate.wait()
        return False


async def _asked_for(loop: Loop, seconds: float, each: Callable[[], Any] = lambda: None) -> list[str | None]:
    """What the loop says, asked again and again."""
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        each()
        found.append(await loop.problem())
    return found


def test_an_engine_that_answers_is_well() -> None:
    async def run() -> None:
        engine = _Engine()
        assert set(await _asked_for(Loop(engine.call, None, 0), 0.1)) == {None}

    asyncio.run(run())


def test_one_that_does_not_answer_hangs_when_the_time_is_up_and_heals() -> None:
    async def run() -> None:
        engine = _Engine()
        loop = Loop(engine.call, None, STALL)
        engine.gate.clear()
        assert set(await _asked_for(loop, STALL * 0.6)) == {None}, "a step may take long"
        *_, last = await _asked_for(loop, STALL)
        assert last
        assert "has not turned for" in last
        assert engine.calls == 1, "one question waits, however often it is asked"
        engine.gate.set()
        assert await loop.problem() is None

    asyncio.run(run())


def test_a_step_that_uses_the_cpu_is_no_hang() -> None:
    async def run() -> None:
        engine = _Engine()
        loop = Loop(engine.call, lambda: engine.used, STALL)
        engine.gate.clear()

        def works() -> None:
            engine.used += 0.3

        assert set(await _asked_for(loop, STALL * 3, works)) == {None}
        *_, last = await _asked_for(loop, STALL * 2)
        assert last, "it has stopped to compute"

    asyncio.run(run())


def test_a_step_computes_for_ever_but_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_health, "LONGEST_STEP_SECONDS", 0.2)

    async def run() -> None:
        engine = _Engine()
        engine.gate.clear()

        def works() -> None:
            engine.used += 1

        *_, last = await _asked_for(Loop(engine.call, lambda: engine.used, 60), 0.5, works)
        assert last

    asyncio.run(run())


def test_many_ask_at_the_same_time() -> None:
    async def run() -> None:
        engine = _Engine()
        loop = Loop(engine.call, None, 60)
        for _ in range(3):
            assert set(await asyncio.gather(*(loop.problem() for _ in range(5)))) == {None}
        assert engine.calls == 3

    asyncio.run(run())


def test_an_engine_that_fails_is_told_with_its_error() -> None:
    async def call() -> bool:
        raise RuntimeError("EngineCore encountered an issue")

    assert (
        asyncio.run(Loop(call, None, 60).problem()) == "the engine fails: RuntimeError: EngineCore encountered an issue"
    )


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> tuple[TestClient, _Engine]:
    monkeypatch.setenv(STALL_VARIABLE, "0")
    engine, app = _Engine(), Starlette()
    app.state.engine_client = SimpleNamespace(is_paused=engine.call)
    app.add_middleware(EngineHealth)
    return TestClient(app), engine


def test_health_over_http(client: tuple[TestClient, _Engine]) -> None:
    http, engine = client
    with http:
        assert [http.request(method, "/health").status_code for method in ("GET", "HEAD")] == [200, 200]
        assert [http.post("/health").status_code, http.get("/healthz").status_code] == [404, 404], "passed on"
        engine.gate.clear()
        answer = http.get("/health")
        assert answer.status_code == 503
        assert "has not turned" in answer.json()["error"]["message"]


def test_cpu_time_of_children_counts() -> None:
    before = cpu_seconds_below()
    program = "while True: pass"
    with subprocess.Popen([sys.executable, "-c", program]) as child:
        end = time.monotonic() + 20
        while (used := cpu_seconds_below()) - before < 0.1 and time.monotonic() < end:
            time.sleep(0.05)
        child.kill()
    assert used - before >= 0.1
