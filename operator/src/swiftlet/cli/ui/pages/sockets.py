"""Whose page a web socket may speak for: its own person's.

NiceGUI finds the page by an id that the socket names. Nobody can guess one, but it is in addresses, and so in the logs
of proxies; whoever is logged in and read one there must not press the buttons of another's page.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from nicegui import Client, core

Handler = Callable[..., Any]


def bind_sockets(key: str) -> None:
    """Drop what a socket says for a page of another session. key: where a request's scope has its session."""
    server = core.sio
    for event, handler in list(server.handlers["/"].items()):
        if event != "disconnect":
            server.on(event, only_own(handler, lambda sid, page: _is_own(key, sid, page)))


def only_own(handler: Handler, is_own: Callable[[str, str], bool]) -> Handler:
    """A handler of messages that is called for pages alone of which `is_own` says so, by socket and page."""

    async def called(socket: str, message: Any = None, *more: Any) -> Any:
        page = _page_of(message) if isinstance(message, Mapping) else ""
        if page and not is_own(socket, page):
            return False
        answer = handler(socket, message, *more)
        return await answer if hasattr(answer, "__await__") else answer

    return called


def _page_of(message: Mapping[str, Any]) -> str:
    """The id in a message, or in the address by which a socket connects."""
    in_address = parse_qs(str(message.get("QUERY_STRING", ""))).get("client_id", [""])
    return str(message.get("client_id") or in_address[0])


def _is_own(key: str, socket: str, page: str) -> bool:
    client = Client.instances.get(page)
    asking = core.sio.get_environ(socket)["asgi.scope"].get(key)
    return client is None or (asking is not None and client.request.scope.get(key) is asking)
