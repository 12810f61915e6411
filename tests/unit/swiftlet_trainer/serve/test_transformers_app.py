"""Whatever is sent, the answer is one of the OpenAI API: a real server of a random model."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swiftlet_trainer.serve.chat_requests import ChatRequest
from swiftlet_trainer.serve.openai_requests import MESSAGE, REQUEST, CompletionRequest
from swiftlet_trainer.serve.transformers_app import build_app
from swiftlet_trainer.serve.transformers_engine import TransformersEngine

from .conftest import serving

SETTINGS = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
NUMBERS = st.one_of(
    st.integers(-3, 3), st.sampled_from([2**31, 2**63, 2**64, -(2**63), 10**400]), st.floats(allow_subnormal=True)
)
TEXTS = st.one_of(st.sampled_from(["", "base", "Hi", "user", "text", "\ud83d", "\x00", "auto"]), st.text(max_size=5))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
TURNS = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "developer"]) | VALUES, "content": TEXTS | VALUES},
    optional=dict.fromkeys(MESSAGE, VALUES),
)
FIELDS = dict.fromkeys({*REQUEST, *ChatRequest.model_fields, *CompletionRequest.model_fields}, VALUES)


@pytest.fixture(scope="module")
def client(random_model: Any, tokenizer: Any) -> Iterator[httpx.Client]:
    engine = TransformersEngine(random_model, tokenizer, ["base"], {}, 24)
    with (
        serving(build_app(engine, None)) as url,
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield client


def _is_openai(answer: httpx.Response) -> None:
    """An answer, a stream that ended, or an error that blames the request."""
    assert answer.status_code in (200, 400, 404), answer.text
    if answer.headers["content-type"].startswith("text/event-stream"):
        assert answer.text.endswith("data: [DONE]\n\n")
        assert '"error"' not in answer.text
    elif answer.status_code == 200:
        assert answer.json()["choices"]
    else:
        assert answer.json()["error"]["message"]
        assert {"type", "param", "code"} <= set(answer.json()["error"])


@SETTINGS
@given(
    fields=st.fixed_dictionaries({}, optional=FIELDS) | st.dictionaries(TEXTS, VALUES, max_size=2),
    chat=st.none() | st.lists(TURNS, max_size=3),
    prompt=TEXTS | st.lists(NUMBERS, max_size=4) | VALUES,
    names_model=st.booleans(),
)
def test_any_fields_are_answered_or_refused(
    client: httpx.Client, fields: dict[str, Any], chat: Any, prompt: Any, names_model: bool
) -> None:
    path, asked = ("chat/completions", {"messages": chat}) if chat is not None else ("completions", {"prompt": prompt})
    other = {"messages": "prompt", "prompt": "messages"}[next(iter(asked))]
    body = {name: value for name, value in fields.items() if name != other} | asked
    body |= {"model": "base"} if names_model else {}
    headers = {"Content-Type": "application/json"}
    _is_openai(client.post(f"/v1/{path}", content=json.dumps(body), headers=headers))


@SETTINGS
@given(body=st.binary(max_size=30) | TEXTS.map(lambda text: json.dumps(text).encode()), kind=st.none() | st.just("x/y"))
def test_any_bytes_are_refused(client: httpx.Client, body: bytes, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {"Content-Type": "application/json"}
    answer = client.post("/v1/completions", content=body, headers=headers)
    assert answer.status_code == 400
    _is_openai(answer)


@pytest.mark.parametrize(
    ("body", "param", "told"),
    [
        ({"prompt": [49152]}, "prompt", "token ids go from 0 to 49151, given is 49152"),
        ({"prompt": [1, -5]}, "prompt", "given is -5"),
        ({"prompt": ""}, "prompt", "prompt: has no token"),
        ({"prompt": "a " * 99}, "prompt", "the longest prompt and answer is 24"),
        ({"prompt": "a", "temperature": float("nan")}, "temperature", "temperature: Input should be a finite number"),
        ({"prompt": "a", "seed": 2**70}, "seed", "seed: Input should be less than or equal to"),
        ({"prompt": ["a", "b"]}, "prompt", "prompt: 2 prompts in one request need vllm"),
        ({"prompt": {}, "stop": 5}, "prompt", "stop: Input should be a valid list"),
    ],
)
def test_a_refusal_names_field_value_and_rule(
    client: httpx.Client, body: dict[str, Any], param: str, told: str
) -> None:
    content = json.dumps({"model": "base", **body})
    for stream in (b"", b', "stream": true'):
        answer = client.post(
            "/v1/completions",
            content=content[:-1].encode() + stream + b"}",
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["param"] in (param, "stop"), told in error["message"]) == (True, True), error


def test_bad_json_is_told_with_its_place(client: httpx.Client) -> None:
    answer = client.post("/v1/completions", content=b"{bad", headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert error["message"].startswith("the body is not JSON: Expecting property name")
    assert error["message"].endswith("at character 1")
    assert error["param"] is None


def test_a_field_within_a_turn_is_named_with_its_turn(client: httpx.Client) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "x", "audio": {"id": "1"}}]
    error = client.post("/v1/chat/completions", json={"model": "base", "messages": turns}).json()["error"]
    assert error["param"] == "messages.1.audio"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nope", 404), ("GET", "/v1/completions", 405), ("POST", "/v1/models", 405)]
)
def test_routes_that_are_not_there_are_openai_errors(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert path in answer.json()["error"]["message"]
    assert ("allow" in answer.headers) == (status == 405)
