"""Who may see the page: whoever has the URL that the terminal printed.

A page elsewhere must not reach a server of this machine through somebody's browser: by a name that it lets point here
(DNS rebinding), or by a form or web socket of its own (cross-site requests). Source: OWASP, "Cross-Site WebSocket
Hijacking"; Jupyter's token is the same idea.
"""

import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from html import escape
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self';"
    " form-action 'self'; frame-ancestors 'none'"
)
"""Nothing is fetched from elsewhere. Vue compiles its templates in the browser, and NiceGUI writes the page's elements
into it: hence the two exceptions. Texts of users are set as text alone."""
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Guard:
    """An ASGI application in front of another one."""

    def __init__(self, app: App, token: str, port: int, host: str) -> None:
        """token: what the URL has to carry once; port: cookies know none, so their name does; host: also a name of
        ours."""
        self._app, self._token, self._own = app, token, host
        self._cookie = f"swiftlet-ui-{port}"

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if not is_own_host(headers.get("host", ""), self._own):
            await _refuse(scope, send, f"there is no page under the name {headers.get('host', '')!r} here")
        elif "origin" in headers and urlsplit(headers["origin"]).netloc != headers["host"]:
            await _refuse(scope, send, "another page's requests are not answered")
        elif scope["type"] == "http" and any(self._is_token(value) for name, value in query if name == "token"):
            left = urlencode([(name, value) for name, value in query if name != "token"])
            cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Lax"
            place = "/" + scope["path"].lstrip("/") + (f"?{left}" if left else "")
            await _answer(send, HTTPStatus.SEE_OTHER, "", {"location": place, "set-cookie": cookie})
        elif self._is_token(_cookies(headers.get("cookie", "")).get(self._cookie, "")):
            await self._app(scope, receive, _with_headers(send))
        else:
            why = "open the URL that `swiftlet ui` printed in the terminal; each start has one of its own"
            await _refuse(scope, send, why)

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self._token.encode())


def is_own_host(header: str, own: str) -> bool:
    """Whether a Host header names this machine as no page elsewhere can: by an address, `localhost` or `own`."""
    try:
        name = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return False
    if name in ("localhost", own.lower()):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def _with_headers(send: Send) -> Send:
    """Sends answers with HEADERS, where they have none of their own."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            more = [pair for pair in _encoded(HEADERS.items()) if pair[0] not in given]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sending


async def _refuse(scope: Message, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why[:120]})
        return
    page = f"<!doctype html><title>403</title><h1>403 Forbidden</h1><p>{escape(why)}</p>"
    await _answer(send, HTTPStatus.FORBIDDEN, page, {})


async def _answer(send: Send, status: HTTPStatus, page: str, headers: dict[str, str]) -> None:
    shown = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store", **HEADERS, **headers}
    await send({"type": "http.response.start", "status": status.value, "headers": _encoded(shown.items())})
    await send({"type": "http.response.body", "body": page.encode()})


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
