"""What the transformers engine answers: conversations and texts that it goes on with."""

import json
import time
import traceback
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive

from swiftlet_trainer.data.tools import ToolCall
from swiftlet_trainer.serve.answer import Answer, Sampling, Usage
from swiftlet_trainer.serve.answer_form import form_of
from swiftlet_trainer.serve.answer_reader import AnswerReader
from swiftlet_trainer.serve.call_reader import CallReader, Repetition
from swiftlet_trainer.serve.chat_requests import ChatRequest
from swiftlet_trainer.serve.conversations import REMEDY
from swiftlet_trainer.serve.departure import EventStream, unless_left
from swiftlet_trainer.serve.openai_errors import unexpected
from swiftlet_trainer.serve.openai_requests import CompletionRequest, Refused
from swiftlet_trainer.serve.openai_requests import Request as AnyRequest
from swiftlet_trainer.serve.thought_reader import ThoughtReader
from swiftlet_trainer.serve.transformers_engine import DEFAULT_COMPLETION_TOKENS, Prompt, TransformersEngine
from swiftlet_trainer.templates.agents.template import BEGIN_OF_THOUGHT, END_OF_THOUGHT, AgentTemplate

ID_CHARACTERS = 9


def add_generation(app: FastAPI, engine: TransformersEngine, wait_seconds: float) -> None:
    """POST /v1/chat/completions and /v1/completions."""

    # Tokenizing is done in other threads: a long prompt must not keep the loop from saying that it lives.
    @app.post("/v1/chat/completions", response_model=None)
    async def chat(request: ChatRequest, http: Request) -> Any:
        prompt, agent, sampling = await run_in_threadpool(_conversation, engine, request)
        answer = engine.answer(request.model, prompt, sampling)
        calls = CallReader(agent, request.callable_tools, request.parallel_tool_calls, request.must_call)
        reader = AnswerReader(ThoughtReader(prompt.thinks), calls)
        return await _answered(engine, answer, request, http.receive, _Chat(reader), wait_seconds)

    @app.post("/v1/completions", response_model=None)
    async def complete(request: CompletionRequest, http: Request) -> Any:
        prompt: Prompt = await run_in_threadpool(engine.text_prompt, request.prompt)
        sampling = _sampling(request, request.max_tokens or DEFAULT_COMPLETION_TOKENS)
        answer = engine.answer(request.model, prompt, sampling)
        return await _answered(engine, answer, request, http.receive, _Text(AnswerReader()), wait_seconds)


def _conversation(engine: TransformersEngine, request: ChatRequest) -> tuple[Prompt, AgentTemplate | None, Sampling]:
    """The prompt, by which calls in the answer are read when there may be some, and how tokens are chosen. Raises
    Refused."""
    tools = request.callable_tools
    prompt = engine.chat_prompt(request.model, [message.said() for message in request.messages], tools)
    agent = engine.conversations(request.model).reads if tools else None
    if tools and not agent:
        raise Refused(f"tools: nothing here reads calls as the model's chat template writes them; {REMEDY}", "tools")
    sampling = _sampling(request, request.max_tokens, agent)
    if prompt.thinks != "no":
        sampling = replace(sampling, kept=(*sampling.kept, BEGIN_OF_THOUGHT, END_OF_THOUGHT))
    if agent and request.must_call:
        sampling = replace(sampling, is_over=Repetition(agent, tools))
    if form := form_of(request, agent, engine.guides.control, prompt.thinks):
        sampling = replace(sampling, guide=engine.guides.guide(form))
    return prompt, agent, sampling


class _Text:
    """How an answer is written that goes on with a text. reader: of the answer."""

    prefix, whole, part = "cmpl", "text_completion", "text_completion"

    def __init__(self, reader: AnswerReader) -> None:
        self.reader = reader

    def choice(
        self,
        text: str,
        finish: str | None,
        streamed: bool,
        first: bool = False,
        calls: Sequence[ToolCall] = (),
        thought: str = "",
    ) -> dict[str, Any]:
        """One entry of `choices`."""
        return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}


class _Chat(_Text):
    """The same of one in a conversation."""

    prefix, whole, part = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def choice(
        self,
        text: str,
        finish: str | None,
        streamed: bool,
        first: bool = False,
        calls: Sequence[ToolCall] = (),
        thought: str = "",
    ) -> dict[str, Any]:
        """One entry of `choices`. Calls have no text beside them as null. Thoughts have the names of vLLM and
        DeepSeek."""
        said: dict[str, Any] = {"role": "assistant"} if first or not streamed else {}
        said |= {"reasoning": thought, "reasoning_content": thought} if thought else {}
        if text or not streamed:
            said["content"] = text or (None if calls else "")
        if calls:
            said["tool_calls"] = [_called(call, index, streamed) for index, call in enumerate(calls)]
        return {"index": 0, "delta" if streamed else "message": said, "finish_reason": finish}


def _called(call: ToolCall, index: int, streamed: bool) -> dict[str, Any]:
    """A call as clients take it. Ids are nine letters and digits, as Mistral's chat templates ask."""
    function = {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)}
    place = {"index": index} if streamed else {}
    return {**place, "id": uuid.uuid4().hex[:ID_CHARACTERS], "type": "function", "function": function}


def _sampling(request: AnyRequest, max_tokens: int | None, agent: AgentTemplate | None = None) -> Sampling:
    return Sampling(
        max_tokens=max_tokens,
        temperature=1.0 if request.temperature is None else request.temperature,
        top_p=1.0 if request.top_p is None else request.top_p,
        stops=[*request.stops, *(agent.stop if agent else ())],
        seed=request.seed,
        kept=agent.tokens if agent else (),
    )


async def _answered(
    engine: TransformersEngine,
    answer: Answer,
    request: AnyRequest,
    receive: Receive,
    shape: _Text,
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
    (thought, shown), (more, rest, calls) = shape.reader.push(text), shape.reader.finish(answer.usage.is_cut)
    choices = [shape.choice(shown + rest, _finish(answer.usage, calls), False, calls=calls, thought=thought + more)]
    return {**head, "object": shape.whole, "choices": choices, "usage": _counts(answer.usage)}


async def _first(engine: TransformersEngine, answer: Answer, wait_seconds: float) -> str:
    """Its first piece, empty when it has none."""
    await engine.until_begun(answer, wait_seconds)
    return await anext(answer, "")


async def _whole(engine: TransformersEngine, answer: Answer, wait_seconds: float) -> str:
    return await _first(engine, answer, wait_seconds) + "".join([piece async for piece in answer])


async def _events(
    head: dict[str, Any], shape: _Text, answer: Answer, first: str, with_usage: bool
) -> AsyncIterator[str]:
    """Server-sent events: one per piece, the calls, the finish reason, the usage when asked for, and the end mark."""
    head, reader, is_first = {**head, "object": shape.part}, shape.reader, True

    def chunk(thought: str, text: str, calls: Sequence[ToolCall] = (), finish: str | None = None) -> str:
        nonlocal is_first
        choice = shape.choice(text, finish, True, is_first, calls, thought)
        is_first = False
        return _event({**head, "choices": [choice]})

    try:
        if any(shown := reader.push(first)):
            yield chunk(*shown)
        async for piece in answer:
            if any(shown := reader.push(piece)):
                yield chunk(*shown)
        rest = reader.finish(answer.usage.is_cut)
        if any(rest):
            yield chunk(*rest)
    except Exception as error:
        traceback.print_exc()
        yield _event(unexpected(error))
    else:
        yield chunk("", "", finish=_finish(answer.usage, rest[2]))
        if with_usage:
            yield _event({**head, "choices": [], "usage": _counts(answer.usage)})
    yield "data: [DONE]\n\n"


def _finish(usage: Usage, calls: Sequence[ToolCall]) -> str:
    """Why the answer ended, for its reader."""
    return "tool_calls" if calls and usage.finish_reason == "stop" else usage.finish_reason


def _event(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"


def _counts(usage: Usage) -> dict[str, int]:
    total = usage.prompt_tokens + usage.completion_tokens
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": total,
    }
