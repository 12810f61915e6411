"""Who may see the page of a cluster, and by which token."""

import asyncio
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlencode

import pytest
from swiftlet.cli.ui.login import SESSION, Login
from swiftlet.cli.ui.sessions import Sessions

TOKEN = "a-token"
HOST = {"host": "swiftlet.example:443", "accept": "text/html"}
HERE = {"host": "127.0.0.1:8410", "accept": "text/html"}
OWN = {"origin": "https://swiftlet.example:443"}
Sent = list[MutableMapping[str, Any]]


async def _page(scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"runs of {scope[SESSION].person}".encode()})


def _asked(
    sessions: Sessions, path: str = "/", method: str = "GET", form: Any = None, kind: str = "http", **headers: str
) -> Sent:
    sent: Sent = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"body": urlencode(form or {}).encode()}

    path, _, query = path.partition("?")
    encoded = [(name.encode(), value.encode()) for name, value in {**HOST, **headers}.items()]
    scope = {"type": kind, "path": path, "query_string": query.encode(), "headers": encoded}
    scope |= {"method": method} if kind == "http" else {}
    asyncio.run(Login(_page, sessions, ("swiftlet.example",))(scope, receive, send))
    return sent


def _status(sent: Sent) -> int:
    return int(sent[0]["status"])


def _header(sent: Sent, name: str) -> str:
    return next((value.decode() for key, value in sent[0]["headers"] if key.decode() == name), "")


def _logged_in(sessions: Sessions, token: str = TOKEN, place: str = "/", **headers: str) -> Sent:
    return _asked(sessions, "/login", "POST", {"token": token, "next": place}, **{**OWN, **headers})


def test_a_token_becomes_a_cookie_that_is_not_the_token(sessions: Sessions) -> None:
    sent = _logged_in(sessions, place="/run/x?a=1")
    assert (_status(sent), _header(sent, "location")) == (303, "/run/x?a=1")
    cookie, *words = _header(sent, "set-cookie").split("; ")
    assert cookie.startswith("__Host-swiftlet=")
    assert words == ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"]
    assert "a-token" not in cookie
    assert _asked(sessions, cookie=cookie)[1]["body"] == b"runs of ada"


def test_a_forwarded_port_has_a_cookie_of_its_own(sessions: Sessions) -> None:
    sent = _logged_in(sessions, **HERE, origin="http://127.0.0.1:8410")
    cookie = _header(sent, "set-cookie").partition(";")[0]
    assert cookie.startswith("swiftlet-8410=")
    assert _asked(sessions, **HERE, cookie=cookie)[1]["body"] == b"runs of ada"
    assert _status(_asked(sessions, cookie=cookie)) == 303


@pytest.mark.parametrize("value", ["", "forged", "a-token"])
def test_a_forged_cookie_opens_nothing(sessions: Sessions, value: str) -> None:
    _logged_in(sessions)
    sent = _asked(sessions, "/run/x?a=1", cookie=f"__Host-swiftlet={value}")
    assert (_status(sent), _header(sent, "location")) == (303, "/login?next=%2Frun%2Fx%3Fa%3D1")
    assert _status(_asked(sessions, "/_nicegui/x.js", cookie=f"__Host-swiftlet={value}", accept="*/*")) == 401
    closed = _asked(sessions, kind="websocket", cookie=f"__Host-swiftlet={value}")
    assert [message["type"] for message in closed] == ["websocket.close"]


def test_a_proxy_shows_the_token_each_time(sessions: Sessions) -> None:
    assert _asked(sessions, authorization="Bearer a-token")[1]["body"] == b"runs of ada"
    assert _asked(sessions, authorization="bearer b-token")[1]["body"].endswith(b":bob")
    sent = _asked(sessions, authorization="Bearer other")
    assert _status(sent) == 401
    assert b"&lt;unknown&gt;" in sent[1]["body"]


@pytest.mark.parametrize(
    ("token", "status"), [("other", 401), ("", 400), ("two words", 400), ("ä", 400), ("a\nb", 400), ("x" * 70000, 401)]
)
def test_what_is_no_token_is_asked_for_again(sessions: Sessions, token: str, status: int) -> None:
    sent = _logged_in(sessions, token, place='"><script>')
    assert _status(sent) == status
    assert not _header(sent, "set-cookie")
    assert b'<input id="token"' in sent[1]["body"]
    assert b"<script>" not in sent[1]["body"]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://swiftlet.example:443"},
        {"host": "evil.example", "origin": "https://evil.example"},
        {"host": "10.0.0.7:8080", "origin": "http://10.0.0.7:8080"},
    ],
)
def test_a_token_from_elsewhere_or_in_the_clear_is_refused(sessions: Sessions, headers: dict[str, str]) -> None:
    sent = _logged_in(sessions, **headers)
    assert _status(sent) == 403
    assert not _header(sent, "set-cookie")


@pytest.mark.parametrize("place", ["//evil.example", "/\\evil.example", "https://evil.example", "/\r\nset-cookie: a=b"])
def test_no_place_is_elsewhere(sessions: Sessions, place: str) -> None:
    found = _header(_logged_in(sessions, place=place), "location")
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    assert "\n" not in found


def test_another_page_acts_for_nobody(sessions: Sessions) -> None:
    cookie = _header(_logged_in(sessions), "set-cookie").partition(";")[0]
    for path, method in (("/", "GET"), ("/logout", "POST"), ("/login", "POST")):
        assert _status(_asked(sessions, path, method, cookie=cookie, origin="https://evil.example")) == 403
    assert _asked(sessions, cookie=cookie)[1]["body"] == b"runs of ada"


def test_logging_out_ends_the_session_and_a_second_login_ends_the_first(sessions: Sessions) -> None:
    first = _header(_logged_in(sessions), "set-cookie").partition(";")[0]
    second = _header(_logged_in(sessions, cookie=first), "set-cookie").partition(";")[0]
    assert _status(_asked(sessions, cookie=first)) == 303
    assert _status(_asked(sessions, cookie=second)) == 200
    assert _status(_asked(sessions, "/logout", "POST", cookie=second)) == 403
    sent = _asked(sessions, "/logout", "POST", **OWN, cookie=second)
    assert "Max-Age=0" in _header(sent, "set-cookie")
    assert _status(_asked(sessions, cookie=second)) == 303


def test_health_is_open_under_every_name(sessions: Sessions) -> None:
    assert _asked(sessions, "/healthz", host="10.1.2.3:8080")[1]["body"] == b"ok"
    assert _asked(sessions, "/healthz", host="any")[1]["body"] == b"ok"


def test_a_page_that_has_outlived_its_session_is_told_so(sessions: Sessions) -> None:
    assert b"no longer accepted" in _asked(sessions, "/login?over=&next=%2Fchat")[1]["body"]
    assert b'name="next" value="/chat"' in _asked(sessions, "/login?next=%2Fchat")[1]["body"]


@pytest.mark.parametrize("shown", ["Bearer", "Bearer ", "Bearer ä", "Bearer two words"])
def test_what_no_header_can_have_is_not_shown_to_the_api_server(shown: str) -> None:
    unreachable = Sessions("http://127.0.0.1:1", None, 3600)
    assert _status(_asked(unreachable, "/_nicegui/x.js", authorization=shown, accept="*/*")) == 401
