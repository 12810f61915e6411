"""The key as a boundary: the route tables that the engines really have, asked without one."""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from starlette.middleware.cors import CORSMiddleware
from starlette.testclient import TestClient, WebSocketDenialResponse
from swiftlet_trainer.serve.api_key import KEY_VARIABLE, MIDDLEWARE
from swiftlet_trainer.serve.require_key import OPEN_PATHS, RequireKey
from swiftlet_trainer.serve.transformers_app import build_app

WALK = """
import json, os, re, sys
from starlette.routing import Mount, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse

def walk(app, headers):
    client, found = TestClient(app, raise_server_exceptions=False), {}
    for route in app.routes:
        path = re.sub("{.*?}", "x", route.path) + ("/" if isinstance(route, Mount) else "")
        if isinstance(route, WebSocketRoute) or type(route).__name__ == "APIWebSocketRoute":
            try:
                client.websocket_connect(path, headers=headers).__enter__()
                found["WS " + path] = 101
            except WebSocketDenialResponse as denied:
                found["WS " + path] = denied.status_code
            continue
        for method in {*(getattr(route, "methods", None) or ()), "GET", "POST", "OPTIONS", "HEAD"}:
            found[method + " " + path] = client.request(method, path, headers=headers).status_code
    return found
"""
VLLM = """
from pathlib import Path
from swiftlet.wire.documents import ServeDocument
from swiftlet_trainer.serve.vllm_arguments import vllm_arguments
from swiftlet_trainer.serve.vllm_process import parse
from vllm.entrypoints.launchers.app import build_app

document = ServeDocument.model_validate(json.loads(sys.argv[1]))
app = build_app(parse(vllm_arguments(document, Path(document.model.path), "127.0.0.1")), ("generate",))
print("FOUND", json.dumps([walk(app, {}), walk(app, {"Authorization": "Bearer wrong"})]))
"""


def test_the_middleware_is_told_by_its_name() -> None:
    assert f"{RequireKey.__module__}.{RequireKey.__qualname__}" == MIDDLEWARE


def test_no_route_of_the_transformers_engine_answers_without_the_key() -> None:
    space: dict[str, Any] = {}
    exec(WALK, space)  # noqa: S102  (the same walk as in vLLM's process)
    app = build_app(SimpleNamespace(names=["base"], problem=lambda: None), "s3cret")  # type: ignore[arg-type]
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        found = space["walk"](app, headers)
        assert "POST /v1/completions" in found
        _only_health_is_open(found)
    assert TestClient(app, headers={"Authorization": "Bearer s3cret"}).get("/v1/models").status_code == 200


def test_no_route_of_vllm_answers_without_the_key(document: Any) -> None:
    asked = document(engine="vllm", apiKeyFile="/key").model_dump(mode="json", by_alias=True)
    done = subprocess.run(
        [sys.executable, "-c", WALK + VLLM, json.dumps(asked)],
        capture_output=True,
        text=True,
        env={"VLLM_TARGET_DEVICE": "cpu", "PATH": "", KEY_VARIABLE: "s3cret"},
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")] or [done.stderr]
    for found in json.loads(line.removeprefix("FOUND ")):
        wanted = {
            "POST /invocations",
            "POST /tokenize",
            "GET /metrics/",
            "GET /load",
            "GET /docs",
            "POST /v1/completions",
        }
        assert wanted <= set(found)
        _only_health_is_open(found)


def _only_health_is_open(found: dict[str, int]) -> None:
    answered = {route for route, status in found.items() if status != 401}
    assert answered == {route for route in found if route.split()[1] in OPEN_PATHS}


@pytest.fixture
def client() -> TestClient:
    """Routes of every kind behind the key, outside of CORS as in vLLM."""
    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    app.add_middleware(RequireKey, api_key="grün")

    @app.api_route("/{path:path}", methods=["GET", "OPTIONS"])
    def answer(path: str) -> str:
        return path

    @app.websocket("/ws")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    return TestClient(app)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_key_opens_by_any_case_of_the_scheme(client: TestClient, scheme: str) -> None:
    assert client.get("/x", headers={"Authorization": f"{scheme} grün".encode()}).status_code == 200


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "grün", "Basic grün", "Bearer grü", "Bearer grüne", "Bearer Grün", "bearergrün"]
)
def test_nothing_else_opens(client: TestClient, value: str) -> None:
    answer = client.get("/x", headers={"Authorization": value.encode()})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/health/", "//health", "/health/x", "/healthz", "/HEALTH", "/"])
def test_paths_near_an_open_one_are_not_open(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 401


def test_websocket_needs_the_key(client: TestClient) -> None:
    with pytest.raises(WebSocketDenialResponse), client.websocket_connect("/ws"):
        pass
    with client.websocket_connect("/ws", headers={"Authorization": "Bearer grün".encode()}):  # type: ignore[dict-item]
        pass


def test_preflight_of_a_browser_passes_and_reaches_no_route(client: TestClient) -> None:
    asks = {"Origin": "https://chat.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/v1/chat/completions", headers=asks)
    assert (answer.status_code, answer.text) == (200, "OK"), "answered by CORS"
    assert client.options("/v1/chat/completions").status_code == 401
    assert client.get("/x", headers=asks).status_code == 401


def test_key_is_read_from_the_environment_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "s3cret")
    app = FastAPI()
    app.add_middleware(RequireKey)  # as vLLM adds it
    assert TestClient(app).get("/x").status_code == 401
    assert TestClient(app, headers={"Authorization": "Bearer s3cret"}).get("/x").status_code == 404
