"""Who may see the page of `swiftlet ui`: whoever has the URL that the terminal printed.

Jupyter's token is the same idea.
"""

import hmac
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from swiftlet.cli.ui.answers import (
    App,
    Message,
    Receive,
    Send,
    answer,
    cookies,
    headers_of,
    refuse,
    stranger,
    with_headers,
)


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
        headers = headers_of(scope)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if why := stranger(headers, [self._own]):
            await refuse(scope, send, why)
        elif scope["type"] == "http" and any(self._is_token(value) for name, value in query if name == "token"):
            left = urlencode([(name, value) for name, value in query if name != "token"])
            cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Lax"
            place = "/" + scope["path"].lstrip("/") + (f"?{left}" if left else "")
            await answer(send, HTTPStatus.SEE_OTHER, "", {"location": place, "set-cookie": cookie})
        elif self._is_token(cookies(headers.get("cookie", "")).get(self._cookie, "")):
            await self._app(scope, receive, with_headers(send))
        else:
            why = "open the URL that `swiftlet ui` printed in the terminal; each start has one of its own"
            await refuse(scope, send, why)

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self._token.encode())
