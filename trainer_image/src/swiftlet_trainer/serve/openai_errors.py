"""Whatever goes wrong with a request, as the errors of the OpenAI API.

Source: platform.openai.com/docs/guides/error-codes.
"""

import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swiftlet_trainer.serve.departure import ClientLeft
from swiftlet_trainer.serve.openai_requests import Refused

RETRY_AFTER_SECONDS = 5
"""Told with 503. OpenAI's clients try again by themselves."""
CLIENT_CLOSED_REQUEST = 499
"""Seen by nobody; nginx's number for it."""


def add_error_handlers(app: FastAPI) -> None:
    """Have `app` answer every error as OpenAI does, those of routing and those that nobody expected included."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientLeft, _left)
    app.add_middleware(_Unexpected)


def error_content(message: str, status: int, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """The body of an error."""
    # A lone surrogate that a client sent cannot be sent back.
    text = message.encode(errors="replace").decode()
    return {"error": {"message": text, "type": _type(status), "param": param, "code": code}}


def error_answer(
    message: str,
    status: int,
    param: str | None = None,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An error as an HTTP answer."""
    waiting = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return JSONResponse(error_content(message, status, param, code), status, {**waiting, **(headers or {})})


def unexpected(error: BaseException) -> dict[str, Any]:
    """The body of an error that nobody expected; its traceback is in the server's log."""
    return error_content(f"the answer failed: {type(error).__name__}; see the server's log", 500)


def _type(status: int) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return "NotFoundError"
    return "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)  # noqa: S101  (registered for this type)
    return error_answer(str(error), error.status, error.param, error.code)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Every field that is wrong, in one message."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    told = [_told(one) for one in error.errors()]
    return error_answer("; ".join(message for _, message in told), 400, told[0][0])


def _told(problem: Mapping[str, Any]) -> tuple[str | None, str]:
    """(field to blame, what is wrong with it)."""
    cause, place = problem.get("ctx", {}).get("error"), [str(part) for part in problem["loc"][1:]]
    if problem["type"] == "json_invalid":
        return None, f"the body is not JSON: {cause} at character {place[0]}"
    message, within = (str(cause), cause.param) if isinstance(cause, Refused) else (problem["msg"], None)
    told = message if isinstance(cause, Refused) and not place else f"{'.'.join(place) or 'body'}: {message}"
    return ".".join([*place, *([within] if within else [])]) or None, told


async def _http(request: Request, error: Exception) -> JSONResponse:
    """404, 405, and a body that cannot be read."""
    assert isinstance(error, HTTPException)  # noqa: S101
    message = f"{request.method} {request.url.path}: {error.detail}"
    return error_answer(message, error.status_code, headers=error.headers)


async def _left(request: Request, error: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)


class _Unexpected:
    """Answers what nobody expected. A handler of FastAPI's would have the server close the connection as well."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            traceback.print_exc()
            await JSONResponse(unexpected(error), 500)(scope, receive, send)
