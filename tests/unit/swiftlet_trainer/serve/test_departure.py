"""Clients that leave, a computation that hangs, and one that fails: a real server of a random model that is slow."""

import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from swiftlet_trainer.serve.model_thread import STALL_SECONDS
from swiftlet_trainer.serve.transformers_app import build_app
from swiftlet_trainer.serve.transformers_engine import TransformersEngine

from .conftest import serving

LONG = {"model": "base", "prompt": "Once upon a time", "max_tokens": 4000, "temperature": 0}
SHORT = {**LONG, "max_tokens": 3}
TOKEN_SECONDS = 0.02
"""A long answer takes 80 s, longer than a client has patience."""
PATIENCE = 30


class Layer:
    """What the model's layer does besides: set `act`, which is told how often it was called."""

    def __init__(self) -> None:
        self.calls, self.act = 0, lambda calls: time.sleep(TOKEN_SECONDS)

    def __call__(self, *_: Any) -> None:
        self.calls += 1
        self.act(self.calls)


@pytest.fixture
def layer(random_model: Any) -> Iterator[Layer]:
    layer = Layer()
    hook = random_model.model.layers[0].register_forward_pre_hook(layer)
    yield layer
    hook.remove()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """By which the server tells whether a computation hangs."""
    return Clock()


@pytest.fixture
def release(layer: Layer) -> Iterator[threading.Event]:
    """The model waits in its layer until this is set."""
    event = threading.Event()
    layer.act = lambda calls: event.wait(60)
    yield event
    event.set()


@pytest.fixture(autouse=True)
def no_garbage_is_collected() -> Iterator[None]:
    """What is freed only when Python looks for garbage is not freed: the server seldom looks."""
    gc.disable()
    yield
    gc.enable()


Server = Callable[..., Any]


@pytest.fixture
def server(random_model: Any, tokenizer: Any, layer: Layer, clock: Clock) -> Server:
    @contextmanager
    def start(wait_seconds: float = 60) -> Iterator[httpx.Client]:
        engine = TransformersEngine(random_model, tokenizer, ["base"], {}, 8192, STALL_SECONDS, clock)
        with (
            serving(build_app(engine, None, wait_seconds)) as url,
            httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as client,
        ):
            yield client

    return start


def _lines(client: httpx.Client, body: dict[str, Any], count: int) -> list[str]:
    """The first `count` lines of a stream, which is then left."""
    with client.stream("POST", "/v1/completions", json={**body, "stream": True}) as answer:
        return [line for line, _ in zip(answer.iter_lines(), range(count), strict=False)]


def _post(client: httpx.Client, body: dict[str, Any], timeout: float = PATIENCE) -> httpx.Response | None:
    """None when the client has left after `timeout` seconds."""
    try:
        return client.post("/v1/completions", json=body, timeout=timeout)
    except httpx.TimeoutException:
        return None


def _until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s"
        time.sleep(0.02)


LEAVING: dict[str, Callable[[httpx.Client], Any]] = {
    "in a stream": lambda client: _lines(client, LONG, 5),
    "at the first event": lambda client: _lines(client, LONG, 1),
    "before the first token": lambda client: _post(client, {**LONG, "stream": True}, 0.01),
    "not streamed": lambda client: _post(client, LONG, 0.3),
}


@pytest.mark.parametrize("moment", LEAVING)
@pytest.mark.parametrize("times", [1, 5])
def test_the_next_is_answered_when_a_client_left(server: Server, moment: str, times: int) -> None:
    with server() as client:
        for _ in range(times):
            LEAVING[moment](client)
        answer = _post(client, SHORT)
        assert answer is not None
        assert answer.status_code == 200


def test_clients_that_left_while_they_waited_cost_nothing(
    server: Server, layer: Layer, release: threading.Event
) -> None:
    with server() as client, ThreadPoolExecutor(9) as pool:
        first = pool.submit(_post, client, {**LONG, "max_tokens": 50})
        _until(lambda: layer.calls)
        waiting = [pool.submit(_post, client, {**LONG, "stream": number % 2 == 0}, 0.4) for number in range(8)]
        assert [one.result() for one in waiting] == [None] * 8
        release.set()
        assert first.result().status_code == 200
        assert _post(client, SHORT).status_code == 200
        assert layer.calls < 50 + 3 + 8


def test_those_who_stay_get_their_answers(server: Server, layer: Layer) -> None:
    with server() as client, ThreadPoolExecutor(12) as pool:
        alone = _post(client, SHORT).json()["choices"]
        staying = [pool.submit(_post, client, SHORT) for _ in range(6)]
        leaving = [pool.submit(LEAVING[moment], client) for moment in LEAVING for _ in range(2)]
        assert [one.result().json()["choices"] for one in staying] == [alone] * 6
        assert len([one.result() for one in leaving]) == 8
        assert client.get("/health").status_code == 200


def test_health_answers_however_many_wait(server: Server, layer: Layer, release: threading.Event) -> None:
    with server() as client, ThreadPoolExecutor(60) as pool:
        waiting = [pool.submit(_post, client, SHORT) for _ in range(60)]
        _until(lambda: layer.calls)
        time.sleep(0.5)  # let most of them arrive
        assert client.get("/health").status_code == 200
        release.set()
        assert [one.result().status_code for one in waiting] == [200] * 60


def test_waiting_is_bounded(server: Server, layer: Layer, release: threading.Event) -> None:
    with server(wait_seconds=0.3) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(_post, client, SHORT)
        _until(lambda: layer.calls)
        for stream in (False, True):
            answer = _post(client, {**SHORT, "stream": stream})
            assert answer.status_code == 503
            assert answer.headers["Retry-After"].isdigit()
            assert "busy" in answer.json()["error"]["message"]
        release.set()
        first.result()


def test_what_hangs_is_not_healthy_and_answers_nobody(
    server: Server, layer: Layer, clock: Clock, release: threading.Event
) -> None:
    with server() as client, ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(_post, client, {**LONG, "max_tokens": 9})
        _until(lambda: layer.calls)
        assert client.get("/health").status_code == 200
        clock.now += STALL_SECONDS + 1
        for answer in (client.get("/health"), _post(client, SHORT)):
            assert answer.status_code == 503
            assert "has not got on for" in answer.json()["error"]["message"]
        release.set()
        assert hanging.result().status_code == 200
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize("body", [{**LONG, "max_tokens": 40}, {**SHORT, "max_tokens": 40, "stream": True}])
def test_what_takes_long_and_gets_on_is_healthy(
    server: Server, layer: Layer, clock: Clock, body: dict[str, Any]
) -> None:
    def slow(calls: int) -> None:
        time.sleep(TOKEN_SECONDS)
        clock.now += 0.6 * STALL_SECONDS

    layer.act = slow
    with server() as client, ThreadPoolExecutor(1) as pool:
        long = pool.submit(_post, client, body)
        while not long.done():
            assert client.get("/health").status_code == 200
        assert long.result().status_code == 200
    assert clock.now > 20 * STALL_SECONDS


class BrokenError(Exception):
    pass


def _fail_at(which: int) -> Callable[[int], None]:
    def act(calls: int) -> None:
        if calls == which:
            raise BrokenError("secret of the model's code")

    return act


@pytest.mark.parametrize("stream", [False, True])
def test_what_fails_before_the_first_piece_is_an_http_error(server: Server, layer: Layer, stream: bool) -> None:
    layer.act = _fail_at(1)
    with server() as client:
        answer = _post(client, {**SHORT, "stream": stream})
        assert answer.status_code == 500
        error = answer.json()["error"]
        assert (error["type"], "Broken" in error["message"]) == ("server_error", True)
        assert "secret" not in answer.text
        assert _post(client, SHORT).status_code == 200


def test_what_fails_in_a_stream_is_an_error_event(server: Server, layer: Layer) -> None:
    layer.act = _fail_at(5)
    with server() as client:
        lines = [line.removeprefix("data: ") for line in _lines(client, LONG, 99) if line]
        assert lines[-1] == "[DONE]"
        *events, error = [json.loads(line) for line in lines[:-1]]
        assert all(event["choices"][0]["finish_reason"] is None for event in events)
        assert len(events) == 4
        assert "Broken" in error["error"]["message"]
        assert _post(client, SHORT).status_code == 200
