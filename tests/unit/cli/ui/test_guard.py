"""Who may see the page."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from swiftlet.cli.ui.answers import POLICY
from swiftlet.cli.ui.guard import Guard

TOKEN, PORT, OWN = "secret", 8410, "127.0.0.1"
COOKIE = {"cookie": f"swiftlet-ui-{PORT}={TOKEN}"}


async def _page(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"runs"})


def _asked(query: str = "", kind: str = "http", path: str = "/", **headers: str) -> list[MutableMapping[str, Any]]:
    """What is sent for one request."""
    given = {"host": f"{OWN}:{PORT}", **headers}
    scope = {"type": kind, "path": path, "query_string": query.encode()}
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("nothing is read")

    encoded = [(name.encode(), value.encode()) for name, value in given.items()]
    asyncio.run(Guard(_page, TOKEN, PORT, OWN)({**scope, "headers": encoded}, receive, send))
    return sent


def _headers(sent: list[MutableMapping[str, Any]]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_the_token_becomes_a_cookie_and_leaves_the_address() -> None:
    sent = _asked("a=1&token=secret", path="/run/x")
    assert (sent[0]["status"], _headers(sent)["location"]) == (303, "/run/x?a=1")
    assert _headers(sent)["set-cookie"] == f"swiftlet-ui-{PORT}=secret; Path=/; HttpOnly; SameSite=Lax"


def test_no_token_sends_a_browser_elsewhere() -> None:
    assert _headers(_asked("token=secret", path="//evil.example/"))["location"] == "/evil.example/"


def test_the_cookie_is_enough_and_the_answer_fetches_nothing_from_elsewhere() -> None:
    sent = _asked(**COOKIE)
    assert (sent[0]["status"], sent[1]["body"]) == (200, b"runs")
    assert _headers(sent)["content-security-policy"] == POLICY


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {}),
        ("token=other", {}),
        ("token=", {}),
        ("", {"cookie": f"swiftlet-ui-{PORT}=other"}),
        ("", {"cookie": f"swiftlet-ui-9999={TOKEN}"}),
        ("", {"cookie": 'swiftlet-ui-8410="'}),
        ("token=secret", {"host": "evil.example:8410"}),
        ("", {**COOKIE, "host": "evil.example:8410"}),
        ("", {**COOKIE, "host": ""}),
        ("", {**COOKIE, "origin": "http://127.0.0.1:3000"}),
        ("", {**COOKIE, "origin": "null"}),
    ],
)
def test_whoever_else_asks_sees_nothing(query: str, headers: dict[str, str]) -> None:
    sent = _asked(query, **headers)
    assert sent[0]["status"] == 403
    assert b"runs" not in sent[1]["body"]
    assert "set-cookie" not in _headers(sent)


def test_a_web_socket_of_another_page_is_closed() -> None:
    sent = _asked(kind="websocket", **COOKIE, origin="http://localhost:8410")
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_what_a_refusal_repeats_is_text() -> None:
    assert b"<script>" not in _asked(host="<script>")[1]["body"]
