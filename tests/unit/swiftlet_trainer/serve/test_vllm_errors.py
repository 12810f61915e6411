"""Errors as vLLM and its parts really answer them, and any others, become OpenAI's."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from swiftlet_trainer.serve.vllm_errors import OpenAIErrors, openai_error

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "detail", "message", "param", "code"]), inner, max_size=3)
    ),
    max_leaves=6,
)
BODIES = st.binary(max_size=20) | JSON.map(lambda content: json.dumps(content).encode())


def _error(status: int, content: Any) -> dict[str, Any]:
    error: dict[str, Any] = openai_error("GET /x", status, json.dumps(content).encode())["error"]
    return error


@given(status=st.integers(400, 599), body=BODIES)
def test_any_body_becomes_an_error(status: int, body: bytes) -> None:
    error = openai_error("GET /x", status, body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["type"], str)
    assert all(error[name] is None or isinstance(error[name], str) for name in ("param", "code"))


def test_routing_tells_what_was_asked() -> None:
    error = _error(404, {"detail": "Not Found"})
    assert (error["message"], error["type"]) == ("GET /x: Not Found", "NotFoundError")
    assert _error(401, {"error": "Unauthorized"})["message"] == "GET /x: Unauthorized"


@pytest.mark.parametrize(
    ("param", "field"),
    [("body.messages.0.role", "messages.0.role"), ("max_tokens", "max_tokens"), ("body", None), ("body.1", None)],
)
def test_the_field_to_blame_is_the_requests(param: str, field: str | None) -> None:
    told = {"error": {"message": "no", "type": "Bad Request", "param": param, "code": 400}}
    assert _error(400, told) == {"message": "no", "type": "invalid_request_error", "param": field, "code": None}


@pytest.mark.parametrize(
    ("status", "param", "code"), [(404, "model", "model_not_found"), (404, None, None), (400, "model", None)]
)
def test_only_an_unknown_model_has_a_code(status: int, param: str | None, code: str | None) -> None:
    assert _error(status, {"error": {"message": "no", "param": param, "code": status}})["code"] == code


@pytest.fixture
def client() -> TestClient:
    """Answers of every kind inside of the middleware."""

    async def answer(request: Request) -> Response:
        kind = request.path_params["kind"]
        pieces = (piece for piece in [b'{"error": {"mess', b'age": "no"}}'])
        return {
            "error": JSONResponse({"detail": "no"}, 400, headers={"X-Kept": "1"}),
            "pieces": StreamingResponse(pieces, 500),
            "empty": Response(status_code=503),
            "fine": StreamingResponse(iter([b"a", b"b"])),
        }[kind]

    app = Starlette(routes=[Route("/{kind}", answer)])
    app.add_middleware(OpenAIErrors)
    return TestClient(app)


def test_errors_are_rewritten_and_answers_are_not(client: TestClient) -> None:
    error = client.get("/error")
    assert (error.status_code, error.headers["X-Kept"]) == (400, "1")
    assert error.json()["error"]["message"] == "GET /error: no"
    assert int(error.headers["Content-Length"]) == len(error.content)
    assert client.get("/pieces").json()["error"] == {
        "message": "no",
        "type": "server_error",
        "param": None,
        "code": None,
    }
    assert client.get("/empty").json()["error"]["message"] == "GET /empty: failed"
    assert client.get("/fine").content == b"ab"
