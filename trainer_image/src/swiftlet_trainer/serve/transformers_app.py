"""The OpenAI-compatible API of the transformers engine."""

import hmac
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from swiftlet_trainer.serve.openai_requests import ChatRequest, CompletionRequest, Refused
from swiftlet_trainer.serve.openai_requests import Request as AnyRequest
from swiftlet_trainer.serve.transformers_engine import DEFAULT_COMPLETION_TOKENS, Sampling, TransformersEngine, Usage


def build_app(engine: TransformersEngine, api_key: str | None) -> FastAPI:
    """GET /health, GET /v1/models, POST /v1/chat/completions and /v1/completions.

    With an `api_key`, everything below /v1 asks for `Authorization: Bearer KEY`.
    """
    app = FastAPI(title="Swiftlet", docs_url=None, redoc_url=None)
    started = int(time.time())
    if api_key:
        app.add_middleware(_BearerKey, api_key=api_key)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        cards = [{"id": name, "object": "model", "created": started, "owned_by": "swiftlet"} for name in engine.names]
        return {"object": "list", "data": cards}

    @app.post("/v1/chat/completions", response_model=None)
    def chat(request: ChatRequest) -> Any:
        ids = engine.chat_ids([message.turn() for message in request.messages])
        return _answered(engine, request, ids, request.max_tokens, _CHAT)

    @app.post("/v1/completions", response_model=None)
    def complete(request: CompletionRequest) -> Any:
        ids = request.prompt if isinstance(request.prompt, list) else engine.tokenizer(request.prompt)["input_ids"]
        return _answered(engine, request, ids, request.max_tokens or DEFAULT_COMPLETION_TOKENS, _TEXT)

    return app


class _Shape:
    """How one of the two kinds of answers is written."""

    def __init__(self, prefix: str, whole: str, part: str, is_chat: bool) -> None:
        self.prefix, self.whole, self.part, self.is_chat = prefix, whole, part, is_chat

    def choice(self, text: str, finish: str | None, streamed: bool, first: bool = False) -> dict[str, Any]:
        """One entry of `choices`."""
        if not self.is_chat:
            return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
        role = {"role": "assistant"} if first or not streamed else {}
        content = {"content": text} if text or not streamed else {}
        return {"index": 0, "delta" if streamed else "message": {**role, **content}, "finish_reason": finish}


_CHAT = _Shape("chatcmpl", "chat.completion", "chat.completion.chunk", is_chat=True)
_TEXT = _Shape("cmpl", "text_completion", "text_completion", is_chat=False)


def _answered(
    engine: TransformersEngine, request: AnyRequest, ids: list[int], max_tokens: int | None, shape: _Shape
) -> Any:
    sampling = Sampling(
        max_tokens=max_tokens,
        temperature=1.0 if request.temperature is None else request.temperature,
        top_p=1.0 if request.top_p is None else request.top_p,
        stops=request.stops,
        seed=request.seed,
    )
    usage, pieces = engine.answer(request.model, ids, sampling)
    head = {"id": f"{shape.prefix}-{uuid.uuid4().hex}", "created": int(time.time()), "model": request.model}
    if request.stream:
        with_usage = request.stream_options is not None and request.stream_options.include_usage
        events = _events(head, shape, usage, pieces, with_usage)
        return StreamingResponse(events, media_type="text/event-stream")
    text = "".join(pieces)
    choices = [shape.choice(text, usage.finish_reason, streamed=False)]
    return {**head, "object": shape.whole, "choices": choices, "usage": _counts(usage)}


def _events(
    head: dict[str, Any], shape: _Shape, usage: Usage, pieces: Iterator[str], with_usage: bool
) -> Iterator[str]:
    """Server-sent events: one per piece, the finish reason, the usage when asked for, and the end mark."""
    head = {**head, "object": shape.part}
    first = True
    for piece in pieces:
        yield _event({**head, "choices": [shape.choice(piece, None, streamed=True, first=first)]})
        first = False
    yield _event({**head, "choices": [shape.choice("", usage.finish_reason, streamed=True, first=first)]})
    if with_usage:
        yield _event({**head, "choices": [], "usage": _counts(usage)})
    yield "data: [DONE]\n\n"


def _event(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"


def _counts(usage: Usage) -> dict[str, int]:
    total = usage.prompt_tokens + usage.completion_tokens
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": total,
    }


class _BearerKey:
    """Lets requests below /v1 through only with the key. Compared in constant time."""

    def __init__(self, app: ASGIApp, api_key: str) -> None:
        self._app, self._expected = app, f"Bearer {api_key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v1"):
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                answer = _error(
                    "send `Authorization: Bearer KEY` with the deployment's API key", 401, code="invalid_api_key"
                )
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _error(message: str, status: int, param: str | None = None, code: str | None = None) -> JSONResponse:
    kind = "NotFoundError" if status == 404 else "invalid_request_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)  # noqa: S101  (registered for this type)
    return _error(str(error), error.status, error.param, error.code)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Every field that is wrong, in one message."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    found = error.errors()
    refused = [one["ctx"]["error"] for one in found if isinstance(one.get("ctx", {}).get("error"), Refused)]
    if refused:
        return _error(str(refused[0]), 400, refused[0].param)
    places = [(".".join(str(part) for part in one["loc"] if part != "body"), one["msg"]) for one in found]
    return _error("; ".join(f"{place or 'body'}: {message}" for place, message in places), 400, places[0][0] or None)
