"""What stands in front of every page: by which names it is asked, and how it is refused.

A page elsewhere must not reach a server through somebody's browser: by a name that it lets point here (DNS rebinding),
or by a form or web socket of its own (cross-site requests). Source: OWASP, "Cross-Site WebSocket Hijacking".
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from html import escape
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

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
    # With `no-referrer` a browser hides the origin of the page's own forms as well.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def headers_of(scope: Message) -> dict[str, str]:
    """By name in small letters."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def stranger(headers: dict[str, str], own: Iterable[str]) -> str | None:
    """Why a request is none of our own pages' and of nobody who typed our name; None: it is. own: our names."""
    if not is_own_host(headers.get("host", ""), own):
        return f"there is no page under the name {headers.get('host', '')!r} here"
    if "origin" in headers and urlsplit(headers["origin"]).netloc != headers["host"]:
        return (
            f"another page's requests are not answered: this one is of {headers['origin']!r} and asks"
            f" {headers['host']!r}. If both are this page, a proxy before this page has to pass on the Host that the"
            " browser asked for, with its port"
        )
    return None


def is_own_host(header: str, own: Iterable[str]) -> bool:
    """Whether a Host header names us as no page elsewhere can: by an address, `localhost` or a name of ours."""
    name = host_of(header)
    return name in ("localhost", *map(str.lower, own)) or _address(name) is not None


def is_loopback(header: str) -> bool:
    """Whether a Host header names the machine that the browser runs on."""
    name = host_of(header)
    address = _address(name)
    return name == "localhost" or (address is not None and address.is_loopback)


def host_of(header: str) -> str:
    """The name in a Host header, without a port; empty where it is none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _address(name: str) -> Any:
    try:
        return ip_address(name)
    except ValueError:
        return None


def cookies(header: str) -> dict[str, str]:
    """The values of a Cookie header by name, whatever other pages of the domain have set: Python's SimpleCookie ends at
    the first that is not as it should be."""
    pairs = (pair.partition("=") for pair in header.split(";"))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def with_headers(send: Send) -> Send:
    """Sends answers with HEADERS, where they have none of their own."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            more = [pair for pair in _encoded(HEADERS.items()) if pair[0] not in given]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sending


async def refuse(scope: Message, send: Send, why: str, status: HTTPStatus = HTTPStatus.FORBIDDEN) -> None:
    """As a page, or by closing a web socket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why[:120]})
        return
    head = f"{status.value} {status.phrase}"
    page = f"<!doctype html><title>{status.value}</title><h1>{head}</h1><p>{escape(why)}</p>"
    await answer(send, status, page)


async def answer(send: Send, status: HTTPStatus, page: str, headers: dict[str, str] | None = None) -> None:
    """A whole page, which no browser keeps."""
    shown = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store", **HEADERS, **(headers or {})}
    await send({"type": "http.response.start", "status": status.value, "headers": _encoded(shown.items())})
    await send({"type": "http.response.body", "body": page.encode()})


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
