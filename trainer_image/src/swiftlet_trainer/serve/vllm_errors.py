"""Errors of vLLM's server in the form of the OpenAI API."""

import json
from http import HTTPStatus
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swiftlet_trainer.serve.openai_errors import error_content

FIRST_ERROR = 400
UNKNOWN_MODEL = "model_not_found"


class OpenAIErrors:
    """ASGI middleware that rewrites the body of every error answer. Answers that are none pass as they come.

    vLLM answers some errors without an `error` (unknown paths and methods, bodies that are no UTF-8), and in the others
    `code` is the HTTP status, where OpenAI's clients look for a word such as `model_not_found`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold an error back until its body is whole."""
        start: Message | None = None
        body = b""

        async def rewriting(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and message["status"] >= FIRST_ERROR:
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await _send(start, openai_error(f"{scope['method']} {scope['path']}", start["status"], body), send)

        await self._app(scope, receive, rewriting if scope["type"] == "http" else send)


def openai_error(asked: str, status: int, body: bytes) -> dict[str, Any]:
    """OpenAI's error for what vLLM answered.

    asked: method and path, for answers of the routing, which tell nothing else.
    """
    told = _told(body)
    error = told.get("error")
    if not isinstance(error, dict):
        return error_content(f"{asked}: {error or told.get('detail') or told.get('message') or 'failed'}", status)
    param = _field(error.get("param"))
    code = UNKNOWN_MODEL if (status, param) == (HTTPStatus.NOT_FOUND, "model") else None
    return error_content(str(error.get("message") or "failed"), status, param, code)


def _field(param: Any) -> str | None:
    """The field to blame. FastAPI's begins with where it was found; of what is no JSON, it is a place in the text."""
    field = str(param or "").removeprefix("body").removeprefix(".")
    return None if field.isdigit() else field or None


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        told = body.decode(errors="replace").strip()
    return told if isinstance(told, dict) else {"detail": told}


async def _send(start: Message, content: dict[str, Any], send: Send) -> None:
    body = json.dumps(content).encode()
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["Content-Type"], headers["Content-Length"] = "application/json", str(len(body))
    await send({**start, "headers": headers.raw})
    await send({"type": "http.response.body", "body": body})
