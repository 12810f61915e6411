"""The API key as a boundary: every route of an engine asks for it but those that are listed here."""

import hashlib
import hmac
import os

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from swiftlet_trainer.serve.api_key import KEY_VARIABLE

OPEN_PATHS = frozenset({"/health"})
"""Whether the engine lives, which tells nothing else. /metrics is not among them: it tells names and load."""


class RequireKey:
    """ASGI middleware that lets requests through only with `Authorization: Bearer KEY`.

    api_key: the key; else KEY_VARIABLE's value, since vLLM constructs middleware without arguments. It belongs outside
    of all other middleware.
    """

    def __init__(self, app: ASGIApp, api_key: str | None = None) -> None:
        self._app, self._expected = app, _digest((api_key or os.environ[KEY_VARIABLE]).encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 itself, or pass on."""
        if scope["type"] == "lifespan" or scope["path"] in OPEN_PATHS or _is_preflight(scope) or self._has_key(scope):
            await self._app(scope, receive, send)
            return
        message = "send `Authorization: Bearer KEY` with the deployment's API key"
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}
        refusal = JSONResponse({"error": error}, 401, headers={"WWW-Authenticate": "Bearer"})
        await refusal(scope, receive, send)

    def _has_key(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        scheme, _, key = given.partition(b" ")
        # Digests have one length, so that not even the key's can be timed.
        return hmac.compare_digest(_digest(key.strip()), self._expected) and scheme.lower() == b"bearer"


def _is_preflight(scope: Scope) -> bool:
    """What a browser asks before it sends a key. It cannot carry one, and no route handles it: vLLM's CORS does."""
    asks = {name for name, _ in scope["headers"]} >= {b"origin", b"access-control-request-method"}
    return asks and scope.get("method") == "OPTIONS"


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
