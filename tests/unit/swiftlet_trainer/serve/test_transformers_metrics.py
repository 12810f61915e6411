"""/metrics of the transformers engine: whatever became of the requests, the figures add up, by served name."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from peft import LoraConfig, get_peft_model
from prometheus_client.parser import text_string_to_metric_families
from swiftlet_trainer.serve.transformers_app import build_app
from swiftlet_trainer.serve.transformers_engine import TransformersEngine

from .conftest import serving

BASE, BIRD = "base", "team/bird.v1"
SHORT = {"prompt": "Once upon a time", "max_tokens": 5, "temperature": 0}
LONG = {**SHORT, "max_tokens": 4000}
PROMPT_TOKENS = 4
TOKEN_SECONDS = 0.01
FIGURES = {
    "vllm:num_requests_running": "gauge",
    "vllm:num_requests_waiting": "gauge",
    "vllm:prompt_tokens": "counter",
    "vllm:generation_tokens": "counter",
    "vllm:request_success": "counter",
    "vllm:time_to_first_token_seconds": "histogram",
    "vllm:inter_token_latency_seconds": "histogram",
    "vllm:e2e_request_latency_seconds": "histogram",
    "vllm:request_queue_time_seconds": "histogram",
    "swiftlet_requests_refused": "counter",
}

Figures = dict[tuple[str, ...], float]
Server = Callable[..., Any]


class Layer:
    """What the model's layer does besides: set `act`."""

    def __init__(self) -> None:
        self.act: Callable[[], Any] = lambda: time.sleep(TOKEN_SECONDS)

    def __call__(self, *_: Any) -> None:
        self.act()


@pytest.fixture
def layer() -> Layer:
    return Layer()


@pytest.fixture
def server(random_model: Any, tokenizer: Any, layer: Layer) -> Server:
    @contextmanager
    def start(stall_seconds: float = 60, wait_seconds: float = 60) -> Iterator[httpx.Client]:
        config = random_model.config.to_dict()
        model = type(random_model)(type(random_model.config)(**config)).eval()
        model.load_state_dict(random_model.state_dict())
        model.model.layers[0].register_forward_pre_hook(layer)
        adapted = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"]))
        engine = TransformersEngine(adapted, tokenizer, [BASE], {BIRD: "default"}, 8192, stall_seconds)
        with (
            serving(build_app(engine, None, wait_seconds)) as url,
            httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
        ):
            yield client

    return start


def _figures(client: httpx.Client) -> Figures:
    """Samples by (name, model, and what else is told); buckets left out."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, sample.labels["model_name"], *(v for k, v in sample.labels.items() if k != "model_name")): value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if "model_name" in sample.labels and "le" not in sample.labels and not sample.name.endswith("_created")
        for value in [sample.value]
    }


def _until(client: httpx.Client, holds: Callable[[Figures], bool]) -> Figures:
    """The figures once they are as expected."""
    end = time.monotonic() + 20
    while not holds(found := _figures(client)):
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return found


def _stages(figures: Figures) -> list[float]:
    """Who is computed, then who waits, each of base and adapter."""
    return [figures[f"vllm:num_requests_{stage}", name] for stage in ("running", "waiting") for name in (BASE, BIRD)]


def _settled(client: httpx.Client) -> Figures:
    """The figures once no request is under way."""
    return _until(client, lambda found: not any(_stages(found)))


def _of(figures: Figures, model: str) -> dict[str, float]:
    """What is not 0 of one model, seconds left out."""
    return {
        ".".join([name.removeprefix("vllm:"), *more]): value
        for (name, of, *more), value in figures.items()
        if of == model and value and not name.endswith("_sum")
    }


def _expected(stop_or_length: int, prompts: int, tokens: int, gaps: int, **ended: int) -> dict[str, float]:
    answered = {
        "request_success_total.length": stop_or_length,
        "e2e_request_latency_seconds_count": stop_or_length,
        "request_queue_time_seconds_count": stop_or_length,
    }
    begun = {
        "time_to_first_token_seconds_count": prompts,
        "prompt_tokens_total": PROMPT_TOKENS * prompts,
        "generation_tokens_total": tokens,
        "inter_token_latency_seconds_count": gaps,
    }
    others = {f"request_success_total.{reason}": count for reason, count in ended.items()}
    return {name: count for name, count in (answered | begun | others).items() if count}


def _ask(client: httpx.Client, model: str, body: dict[str, Any], timeout: float = 30) -> Any:
    """The answer; None when the client has left after `timeout` seconds."""
    try:
        return client.post("/v1/completions", json={"model": model, **body}, timeout=timeout)
    except httpx.ReadTimeout:
        return None


@contextmanager
def _streaming(client: httpx.Client, model: str, events: int = 1) -> Iterator[None]:
    """A long stream of which `events` events are read, and which is then left."""
    with client.stream("POST", "/v1/completions", json={"model": model, **LONG, "stream": True}) as answer:
        lines = (line for line in answer.iter_lines() if line)
        assert len([next(lines) for _ in range(events)]) == events
        yield


def test_names_and_types_are_vllms_and_begin_at_0_for_every_served_name(server: Server) -> None:
    with server() as client:
        families = {one.name: one for one in text_string_to_metric_families(client.get("/metrics").text)}
        assert {name: families[name].type for name in FIGURES} == FIGURES
        for name in FIGURES:
            assert {sample.labels["model_name"] for sample in families[name].samples} == {BASE, BIRD}
        assert not any(_figures(client).values())
        assert families["process_resident_memory_bytes"].samples[0].value > 0


def test_requests_together_are_counted_each_for_its_name(server: Server) -> None:
    asked = [(BASE, False), (BIRD, False), (BIRD, True), (BASE, True), (BIRD, True)]
    with server() as client, ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda one: _ask(client, one[0], {**SHORT, "stream": one[1]}), asked))
        assert [answer.status_code for answer in answers] == [200] * 5
        found = _figures(client)  # complete as soon as the answers are
    assert _of(found, BASE) == _expected(2, prompts=2, tokens=10, gaps=8)
    assert _of(found, BIRD) == _expected(3, prompts=3, tokens=15, gaps=12)
    # The model takes 10 ms a token, and the last of five waits for four others.
    assert found["vllm:time_to_first_token_seconds_sum", BASE] >= 2 * TOKEN_SECONDS
    assert found["vllm:inter_token_latency_seconds_sum", BIRD] >= 12 * TOKEN_SECONDS
    waited = sum(found["vllm:request_queue_time_seconds_sum", name] for name in (BASE, BIRD))
    assert waited >= (1 + 2 + 3 + 4) * 5 * TOKEN_SECONDS / 2
    assert all(
        found["vllm:e2e_request_latency_seconds_sum", name] > found["vllm:request_queue_time_seconds_sum", name]
        for name in (BASE, BIRD)
    )


def test_who_is_computed_and_who_waits_is_told_while_it_lasts(server: Server) -> None:
    with server() as client, ThreadPoolExecutor(3) as pool:
        with _streaming(client, BIRD):
            waiting = [pool.submit(_ask, client, name, SHORT) for name in (BASE, BASE, BIRD)]
            _until(client, lambda found: _stages(found) == [0, 1, 2, 1])
        assert [one.result().status_code for one in waiting] == [200] * 3
        found = _settled(client)
    assert _of(found, BASE) == _expected(2, prompts=2, tokens=10, gaps=8)
    tokens = int(_of(found, BIRD)["generation_tokens_total"])
    assert _of(found, BIRD) == _expected(1, prompts=2, tokens=tokens, gaps=tokens - 2, abort=1)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_while_it_waits_is_aborted_at_once(server: Server, stream: bool) -> None:
    with server() as client, _streaming(client, BIRD):
        assert _ask(client, BASE, {**LONG, "stream": stream}, 1) is None
        found = _until(client, lambda found: _stages(found) == [0, 1, 0, 0])
        assert _of(found, BASE) == _expected(0, prompts=0, tokens=0, gaps=0, abort=1)


@pytest.mark.parametrize("events", [1, 5])
def test_a_client_that_leaves_its_stream_aborts_it(server: Server, events: int) -> None:
    with server() as client:
        with _streaming(client, BIRD, events):
            pass
        bird = _of(_settled(client), BIRD)
    tokens = int(bird["generation_tokens_total"])
    assert events <= tokens < 4000
    assert bird == _expected(0, prompts=1, tokens=tokens, gaps=tokens - 1, abort=1)


def test_who_waited_for_too_long_is_refused_and_not_answered(server: Server) -> None:
    with server(wait_seconds=0.2) as client:
        with _streaming(client, BASE):
            refused = [_ask(client, BIRD, {**SHORT, "stream": stream}) for stream in (False, True)]
            assert [one.status_code for one in refused] == [503, 503]
            found = _figures(client)
        assert _stages(found) == [1, 0, 0, 0]
        assert _of(_settled(client), BIRD) == {"swiftlet_requests_refused_total.busy": 2}


def test_who_comes_while_the_computation_hangs_is_refused(server: Server, layer: Layer) -> None:
    release = threading.Event()
    layer.act = lambda: release.wait(20)
    with server(stall_seconds=0.2) as client, ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(_ask, client, BASE, SHORT)
        while client.get("/health").status_code == 200:
            time.sleep(0.02)
        assert _ask(client, BIRD, SHORT).status_code == 503
        release.set()
        assert hanging.result().status_code == 200
        found = _settled(client)
    assert _of(found, BIRD) == {"swiftlet_requests_refused_total.stalled": 1}
    assert _of(found, BASE) == _expected(1, prompts=1, tokens=5, gaps=4)


@pytest.mark.parametrize("stream", [False, True])
def test_a_computation_that_fails_is_an_error(server: Server, layer: Layer, stream: bool) -> None:
    calls = iter(range(100))

    def fail() -> None:
        if next(calls) == 2:
            raise RuntimeError("of the model")

    layer.act = fail
    with server() as client:
        _ask(client, BIRD, {**SHORT, "stream": stream})
        found = _settled(client)
    assert _of(found, BIRD) == _expected(0, prompts=1, tokens=2, gaps=1, error=1)
    assert _of(found, BASE) == {}


@pytest.mark.parametrize(
    "body",
    [
        {**SHORT, "model": "no/such"},
        {**SHORT, "model": 'a"}\n1'},
        {**SHORT, "model": BASE, "prompt": ""},
        {**SHORT, "model": BASE, "prompt": "a " * 9000},
        {**SHORT, "model": BASE, "seed": 2**70},
        {},
    ],
)
def test_what_is_no_request_to_a_model_counts_nowhere(server: Server, body: dict[str, Any]) -> None:
    with server() as client:
        before = client.get("/metrics").text.count("model_name=")
        assert client.post("/v1/completions", json=body).status_code in (400, 404)
        assert not any(_figures(client).values())
        assert client.get("/metrics").text.count("model_name=") == before
