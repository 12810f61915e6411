"""Requests on their way to vLLM: what is put right, what is refused, and that nothing else changes."""

import asyncio
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.vllm_requests import OpenAIRequests, amended

NAMES = ["base", "team/bird"]
VOCABULARY = 100
TEXT = st.text(min_size=1, max_size=5)
PARTS = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}), max_size=2)
TURNS = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool"]), "content": TEXT | PARTS},
    optional={"tool_calls": st.lists(st.just({"id": "1"}), max_size=2), "name": TEXT},
)
PROMPTS = TEXT | st.lists(st.integers(0, 99), max_size=4) | st.lists(TEXT, max_size=2)
PLAIN = st.fixed_dictionaries(
    {"model": TEXT},
    optional={
        "messages": st.lists(TURNS, min_size=1, max_size=3),
        "prompt": PROMPTS | st.lists(st.lists(st.integers(0, 99))),
        "stop": TEXT | st.none() | st.lists(TEXT, max_size=3),
        "seed": st.integers(),
        "top_p": st.floats(),
    },
)


@given(request=PLAIN)
def test_what_needs_nothing_is_left_as_it_is(request: dict[str, Any]) -> None:
    before = json.dumps(request)
    assert json.dumps(amended(request, VOCABULARY)) == before
    assert json.dumps(request) == before


@pytest.mark.parametrize(
    ("turn", "read"),
    [
        ({"role": "assistant", "content": None, "tool_calls": None}, {"role": "assistant", "content": ""}),
        (
            {"role": "assistant", "content": None, "tool_calls": []},
            {"role": "assistant", "tool_calls": [], "content": ""},
        ),
        ({"role": "assistant", "refusal": None, "content": "Hi"}, {"role": "assistant", "content": "Hi"}),
        (
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
            {"role": "assistant", "tool_calls": [{"id": "1"}]},
        ),
        ("Hi", "Hi"),
    ],
)
def test_nulls_of_a_kept_answer_are_nothing(turn: Any, read: Any) -> None:
    assert amended({"model": "base", "messages": [turn]}, VOCABULARY)["messages"] == [read]


@pytest.mark.parametrize(("stop", "read"), [("", []), (["", "a"], ["a"]), (5, 5), (0, 0), (None, None), ("a", "a")])
def test_an_empty_stop_asks_for_nothing(stop: Any, read: Any) -> None:
    assert amended({"model": "base", "stop": stop}, VOCABULARY)["stop"] == read


@pytest.mark.parametrize(
    ("request_", "param", "told"),
    [
        ({}, "model", "/v1/models lists those that are served"),
        ({"model": None}, "model", "name the model"),
        ({"model": ""}, "model", "name the model"),
        ({"model": "base", "messages": []}, "messages", "at least one turn"),
        ({"model": "base", "messages": [{"role": "user", "content": None}]}, "messages.0.content", "turn of the user"),
        (
            {"model": "base", "messages": [{"role": "assistant"}, {"role": "system"}]},
            "messages.1.content",
            "is missing",
        ),
        ({"model": "base", "prompt": [1, 100]}, "prompt", "token ids go from 0 to 99, given is 100"),
        ({"model": "base", "prompt": [[1], [-1]]}, "prompt", "given is -1"),
        ({"model": "base", "prompt": [2**70]}, "prompt", "given is"),
        ({"model": "base", "prompt": [1e7]}, "prompt", "given is"),
        ({"model": "base", "prompt": [float("nan")]}, "prompt", "given is"),
    ],
)
def test_what_vllm_would_answer_otherwise_is_refused(request_: Mapping[str, Any], param: str, told: str) -> None:
    with pytest.raises(Refused, match=told) as caught:
        amended(request_, VOCABULARY)
    assert caught.value.param == param


class _Models:
    async def show_available_models(self) -> Any:
        cards = [{"id": name, "object": "model"} for name in NAMES]
        return SimpleNamespace(model_dump=lambda: {"data": cards})


@pytest.fixture
def client() -> TestClient:
    """An app with vLLM's state that answers the body that reached it."""

    async def body(request: Request) -> Response:
        content = await request.body()
        assert int(request.headers["content-length"]) == len(content)
        return Response(content)

    app = Starlette(routes=[Route("/{path:path}", body, methods=["POST"])])
    app.state.openai_serving_models = _Models()
    app.state.engine_client = SimpleNamespace(model_config=SimpleNamespace(get_vocab_size=lambda: VOCABULARY))
    app.add_middleware(OpenAIRequests)
    return TestClient(app)


DEEP = b'{"a": ' + b"[" * 100_000


@pytest.mark.parametrize("body", [b"{bad", b"", b"[1]", b"\xff", DEEP, b'{"model": "base",  "x": 1e3, "y": "\\ud83d"}'])
def test_bytes_that_nothing_is_wrong_with_arrive_as_they_were(client: TestClient, body: bytes) -> None:
    for path in ("/v1/completions", "/v1/chat/completions", "/other"):
        assert client.post(path, content=body).content == body


def test_a_body_that_was_put_right_arrives_whole(client: TestClient) -> None:
    sent = {"model": "base", "messages": [{"role": "user", "content": "é\ud83d", "name": None}], "top_p": float("nan")}
    arrived = client.post("/v1/chat/completions", content=json.dumps(sent)).content
    assert json.loads(arrived)["messages"] == [{"role": "user", "content": "é\ud83d"}]


def test_refusals_are_openais_errors(client: TestClient) -> None:
    answer = client.post("/v1/completions", json={"model": "base", "prompt": [1000]})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "prompt"


def test_a_model_is_told_by_its_name(client: TestClient) -> None:
    assert [client.get(f"/v1/models/{name}").json()["id"] for name in NAMES] == NAMES
    answer = client.get("/v1/models/no/such")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_a_client_that_leaves_is_seen_behind_the_body() -> None:
    messages = [
        {"type": "http.request", "body": b'{"model": "base", ', "more_body": True},
        {"type": "http.request", "body": b'"stop": ""}', "more_body": False},
        {"type": "http.disconnect"},
    ]
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([await receive(), await receive()])

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        raise AssertionError(message)

    state = SimpleNamespace(
        openai_serving_models=_Models(),
        engine_client=SimpleNamespace(model_config=SimpleNamespace(get_vocab_size=lambda: VOCABULARY)),
    )
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/completions",
        "headers": [],
        "app": SimpleNamespace(state=state),
    }
    asyncio.run(OpenAIRequests(app)(scope, receive, send))
    assert [json.loads(seen[0]["body"]), seen[1]["type"]] == [{"model": "base", "stop": []}, "http.disconnect"]
