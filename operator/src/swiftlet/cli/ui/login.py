"""Who may see the page of a cluster: whoever shows a token that its API server knows, and then what that token may.

The token comes by a form, or in the Authorization header of a proxy that logs people in. Nobody is asked for rights of
our own: there are none.
"""

import asyncio
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from swiftlet.cli.ui.answers import (
    App,
    Message,
    Receive,
    Send,
    answer,
    cookies,
    headers_of,
    is_loopback,
    refuse,
    stranger,
    with_headers,
)
from swiftlet.cli.ui.loginpage import form
from swiftlet.cli.ui.sessions import Session, Sessions
from swiftlet.cluster.errors import ClusterError, RefusedError

HEALTH = "/healthz"
SESSION = "swiftlet.session"
"""Where the scope of a request has its Session."""
MOST_BYTES = 64 * 1024
"""Of a form; tokens have some kilobytes at most."""
BEARER = "bearer "


class Shown(NamedTuple):
    """What a request says of who asks."""

    secret: str
    is_token: bool
    """The secret is the token itself, which a proxy sends each time."""


class Login:
    """An ASGI application in front of another one, which finds the Session in the scope."""

    def __init__(self, app: App, sessions: Sessions, names: tuple[str, ...]) -> None:
        """names: of the hosts that people ask, besides addresses and localhost."""
        self._app, self._sessions, self._names = app, sessions, names
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers, what = headers_of(scope), (scope.get("method", ""), scope["path"])
        if what == ("GET", HEALTH):
            await answer(send, HTTPStatus.OK, "ok")
        elif why := stranger(headers, self._names):
            await refuse(scope, send, why)
        elif what == ("POST", "/login"):
            await self._log_in(scope, receive, send, headers)
        elif what == ("POST", "/logout"):
            await self._log_out(scope, send, headers)
        else:
            await self._pass(scope, receive, send, headers)

    async def _pass(self, scope: Message, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        shown = _shown(headers)
        try:
            session = await self._session(shown)
        except ClusterError as error:
            status = _status(error)
            await refuse(scope, send, str(error), status)
            return
        is_form = scope["path"] == "/login"
        if session is not None and not is_form:
            await self._app({**scope, SESSION: session}, receive, with_headers(send))
        elif session is not None:
            await answer(send, HTTPStatus.SEE_OTHER, "", {"location": "/"})
        elif is_form and scope.get("method") == "GET":
            query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            said = "You are logged out, or your token is no longer accepted." if "over" in query else ""
            await answer(send, HTTPStatus.OK, form(said, _place(query)))
        elif scope.get("method") == "GET" and "text/html" in headers.get("accept", ""):
            whole = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
            await answer(send, HTTPStatus.SEE_OTHER, "", {"location": f"/login?{urlencode({'next': whole})}"})
        else:
            await refuse(scope, send, "log in first", HTTPStatus.UNAUTHORIZED)

    async def _session(self, shown: Shown) -> Session | None:
        """Raises ClusterError where the API server does not know a proxy's token."""
        if not (shown.is_token and _is_token(shown.secret)) or self._sessions.of(shown.secret):
            return self._sessions.of(shown.secret)
        async with self._turn:
            if not self._sessions.of(shown.secret):
                await asyncio.to_thread(self._sessions.begin, shown.secret, shown.secret)
        return self._sessions.of(shown.secret)

    async def _log_in(self, scope: Message, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        origin = urlsplit(headers.get("origin", ""))
        if not origin.scheme:
            await refuse(scope, send, "a browser says where its form comes from; this request does not")
            return
        if origin.scheme != "https" and not is_loopback(headers["host"]):
            why = f"a token is taken over HTTPS alone, and you came by {origin.scheme}; others could read it on the way"
            await refuse(scope, send, why)
            return
        given = parse_qs((await _body(receive)).decode(errors="replace"))
        token, place = given.get("token", [""])[0].strip(), _place(given)
        if not _is_token(token):
            await answer(send, HTTPStatus.BAD_REQUEST, form("That is no token: it is one word, without spaces.", place))
            return
        try:
            secret = await asyncio.to_thread(self._sessions.begin, token)
        except ClusterError as error:
            await answer(send, _status(error), form(str(error), place))
            return
        self._sessions.end(_shown(headers).secret)
        cookie = _cookie(headers, secret)
        await answer(send, HTTPStatus.SEE_OTHER, "", {"location": place, "set-cookie": cookie})

    async def _log_out(self, scope: Message, send: Send, headers: dict[str, str]) -> None:
        if "origin" not in headers:
            await refuse(scope, send, "a browser says where its form comes from; this request does not")
            return
        self._sessions.end(_shown(headers).secret)
        gone = f"{_cookie(headers, '')}; Max-Age=0"
        await answer(send, HTTPStatus.SEE_OTHER, "", {"location": "/login", "set-cookie": gone})


def _shown(headers: dict[str, str]) -> Shown:
    given = headers.get("authorization", "")
    if given.lower().startswith(BEARER):
        return Shown(given[len(BEARER) :].strip(), True)
    return Shown(cookies(headers.get("cookie", "")).get(_cookie_name(headers), ""), False)


def _is_token(text: str) -> bool:
    """Whether a header can have it."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _cookie_name(headers: dict[str, str]) -> str:
    """No other host of the domain can set one with the prefix __Host-, which wants HTTPS. On this machine ports stand
    for hosts, and cookies know none. Source: RFC 6265bis, "Cookie Name Prefixes"."""
    host = headers.get("host", "")
    if not is_loopback(host):
        return "__Host-swiftlet"
    return f"swiftlet-{urlsplit(f'//{host}').port or 80}"


def _cookie(headers: dict[str, str], value: str) -> str:
    secure = "" if is_loopback(headers.get("host", "")) else "; Secure"
    return f"{_cookie_name(headers)}={value}; Path=/; HttpOnly; SameSite=Lax{secure}"


def _place(given: dict[str, list[str]]) -> str:
    """Where somebody wanted to go, on this host."""
    wanted = given.get("next", ["/"])[0]
    return "/" + quote(wanted.lstrip("/\\"), safe="/?&=%-._~:@!$'()*+,;")


def _status(error: ClusterError) -> HTTPStatus:
    code = error.code if isinstance(error, RefusedError) else None
    return HTTPStatus(code) if code in (401, 403) else HTTPStatus.BAD_GATEWAY


async def _body(receive: Receive) -> bytes:
    """As far as a form may go."""
    body = b""
    while len(body) <= MOST_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body[:MOST_BYTES]
