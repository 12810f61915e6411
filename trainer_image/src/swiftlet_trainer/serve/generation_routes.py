"""What the transformers engine answers: conversations and texts that it goes on with."""

import json
import time
import traceback
import uuid
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive

from swiftlet_trainer.serve.answer import Answer, Sampling, Usage
from swiftlet_trainer.serve.departure import EventStream, unless_left
from swiftlet_trainer.serve.openai_errors import unexpected
from swiftlet_trainer.serve.openai_requests import ChatRequest, CompletionRequest
from swiftlet_trainer.serve.openai_requests import Request as AnyRequest
from swiftlet_trainer.serve.transformers_engine import DEFAULT_COMPLETION_TOKENS, Prompt, TransformersEngine


def add_generation(app: FastAPI, engine: TransformersEngine, wait_seconds: float) -> None:
    """POST /v1/chat/completions and /v1/completions."""

    # Tokenizing is done in other threads: a long prompt must not keep the loop from saying that it lives.
    @app.post("/v1/chat/completions", response_model=None)
    async def chat(request: ChatRequest, http: Request) -> Any:
        prompt = await run_in_threadpool(engine.chat_prompt, [message.turn() for message in request.messages])
        answer = engine.answer(request.model, prompt, _sampling(request, request.max_tokens))
        return await _answered(engine, answer, request, http.receive, _CHAT, wait_seconds)

    @app.post("/v1/completions", response_model=None)
    async def complete(request: CompletionRequest, http: Request) -> Any:
        prompt: Prompt = await run_in_threadpool(engine.text_prompt, request.prompt)
        sampling = _sampling(request, request.max_tokens or DEFAULT_COMPLETION_TOKENS)
        answer = engine.answer(request.model, prompt, sampling)
        return await _answered(engine, answer, request, http.receive, _TEXT, wait_seconds)


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


def _sampling(request: AnyRequest, max_tokens: int | None) -> Sampling:
    return Sampling(
        max_tokens=max_tokens,
        temperature=1.0 if request.temperature is None else request.temperature,
        top_p=1.0 if request.top_p is None else request.top_p,
        stops=request.stops,
        seed=request.seed,
    )


async def _answered(
    engine: TransformersEngine,
    answer: Answer,
    request: AnyRequest,
    receive: Receive,
    shape: _Shape,
    wait_seconds: float,
) -> dict[str, Any] | EventStream:
    """The whole answer; or a stream, once its first piece is there: what fails before it is an HTTP error."""
    head = {"id": f"{shape.prefix}-{uuid.uuid4().hex}", "created": int(time.time()), "model": request.model}
    try:
        if request.stream:
            first = await unless_left(receive, _first(engine, answer, wait_seconds))
            with_usage = request.stream_options is not None and request.stream_options.include_usage
            return EventStream(_events(head, shape, answer, first, bool(with_usage)), answer.leave)
        text = await unless_left(receive, _whole(engine, answer, wait_seconds))
    except BaseException:  # it was refused, it failed, or the client or the server goes
        answer.leave()
        raise
    choices = [shape.choice(text, answer.usage.finish_reason, streamed=False)]
    return {**head, "object": shape.whole, "choices": choices, "usage": _counts(answer.usage)}


async def _first(engine: TransformersEngine, answer: Answer, wait_seconds: float) -> str:
    """Its first piece, empty when it has none."""
    await engine.until_begun(answer, wait_seconds)
    return await anext(answer, "")


async def _whole(engine: TransformersEngine, answer: Answer, wait_seconds: float) -> str:
    return await _first(engine, answer, wait_seconds) + "".join([piece async for piece in answer])


async def _events(
    head: dict[str, Any], shape: _Shape, answer: Answer, first: str, with_usage: bool
) -> AsyncIterator[str]:
    """Server-sent events: one per piece, the finish reason, the usage when asked for, and the end mark."""
    head = {**head, "object": shape.part}
    if first:
        yield _event({**head, "choices": [shape.choice(first, None, streamed=True, first=True)]})
    try:
        async for piece in answer:
            yield _event({**head, "choices": [shape.choice(piece, None, streamed=True)]})
    except Exception as error:
        traceback.print_exc()
        yield _event(unexpected(error))
    else:
        yield _event(
            {**head, "choices": [shape.choice("", answer.usage.finish_reason, streamed=True, first=not first)]}
        )
        if with_usage:
            yield _event({**head, "choices": [], "usage": _counts(answer.usage)})
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
