"""What the transformers engine answers of texts that it makes vectors or scores of, in the forms of vLLM's server."""

import base64
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import torch
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive
from torch.nn.functional import normalize

from swiftlet_trainer.evaluate.classes import probabilities
from swiftlet_trainer.models.reranker import PairPrompt
from swiftlet_trainer.serve.departure import unless_left
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.pooling_engine import PoolingEngine
from swiftlet_trainer.serve.pooling_heads import Scores, Text, Vectors
from swiftlet_trainer.serve.pooling_requests import (
    RERANK_PATHS,
    SCORE_PATHS,
    ClassifyRequest,
    EmbeddingsRequest,
    PoolingFields,
    PoolingRequest,
    RerankRequest,
    ScoreRequest,
)

Compared = tuple[list[float], dict[str, int]]
"""How well texts go together, pair by pair, and what that cost."""
Compare = Callable[[ScoreRequest | RerankRequest, Receive], Awaitable[Compared]]


def add_pooling(app: FastAPI, engine: PoolingEngine, wait_seconds: float) -> None:
    """POST /pooling, and what the engine's head is good for."""
    asking = _Asking(engine, wait_seconds)
    if isinstance(engine.head, Vectors):
        _add_vectors(app, engine.head, asking)
    elif isinstance(engine.head, Scores):
        _add_scores(app, engine.head, asking)


class _Asking:
    """From a request to the values of its texts."""

    def __init__(self, engine: PoolingEngine, wait_seconds: float) -> None:
        self._engine, self._wait_seconds = engine, wait_seconds

    async def values(
        self, request: PoolingFields, receive: Receive, **fields: Sequence[Text]
    ) -> tuple[torch.Tensor, dict[str, int]]:
        """Those of the texts of all `fields`, fp32, (texts, values), and what they cost. Raises Refused."""
        self._engine.check_name(request.model)
        ids = await run_in_threadpool(self._encoded, request.truncate_prompt_tokens, fields)
        pooled = self._engine.pool(request.model, ids)
        try:
            await unless_left(receive, self._engine.until_begun(pooled, self._wait_seconds))
            values = await unless_left(receive, pooled.values())
        except BaseException:  # it was refused, it failed, or the client or the server goes
            pooled.leave()
            raise
        tokens = sum(map(len, ids))
        return values, {"prompt_tokens": tokens, "total_tokens": tokens}

    def _encoded(self, limit: int | None, fields: dict[str, Sequence[Text]]) -> list[list[int]]:
        return [self._engine.encoded(text, field, limit) for field, texts in fields.items() for text in texts]


def _add_vectors(app: FastAPI, head: Vectors, asking: _Asking) -> None:
    """POST /v1/embeddings, and rankings by the cosines of texts."""

    @app.post("/v1/embeddings", response_model=None)
    async def embeddings(request: EmbeddingsRequest, http: Request) -> Any:
        _check_dimensions(head, request)
        vectors, usage = await asking.values(request, http.receive, input=request.input)
        if request.dimensions is not None:
            vectors = normalize(vectors[:, : request.dimensions], dim=-1)
        return await _listed(request, "embd", "embedding", "embedding", vectors, request.encoding_format, usage)

    @app.post("/pooling", response_model=None)
    async def pooling(request: PoolingRequest, http: Request) -> Any:
        _check_task(request, "embed")
        if not request.use_activation:
            raise Refused("use_activation: false needs vllm; vectors have the length 1 here", "use_activation")
        vectors, usage = await asking.values(request, http.receive, **_given(request))
        return await _listed(request, "pooling", "pooling", "data", vectors, request.encoding_format, usage)

    async def compare(request: ScoreRequest | RerankRequest, receive: Receive) -> Compared:
        vectors, usage = await asking.values(request, receive, **request.sides)
        firsts, seconds = vectors.split([len(texts) for texts in request.sides.values()])
        return (firsts * seconds).sum(-1).tolist(), usage

    _add_comparisons(app, compare)


def _add_scores(app: FastAPI, head: Scores, asking: _Asking) -> None:
    """POST /classify, and the scores of a reranker."""

    @app.post("/classify", response_model=None)
    async def classify(request: ClassifyRequest, http: Request) -> Any:
        scores, usage = await asking.values(request, http.receive, **_given(request))
        shown = _activated(scores, head, request.use_activation)
        data = [
            {"index": index, "label": head.head.labels[max(range(len(one)), key=one.__getitem__)], "probs": one,
             "num_classes": len(one)}
            for index, one in enumerate(shown.tolist())
        ]  # fmt: skip
        return {**_head(request, "classify"), "object": "list", "data": data, "usage": usage}

    @app.post("/pooling", response_model=None)
    async def pooling(request: PoolingRequest, http: Request) -> Any:
        _check_task(request, "classify")
        scores, usage = await asking.values(request, http.receive, **_given(request))
        shown = _activated(scores, head, request.use_activation)
        return await _listed(request, "pooling", "pooling", "data", shown, request.encoding_format, usage)

    async def compare(request: ScoreRequest | RerankRequest, receive: Receive) -> Compared:
        prompt = head.rerankers.get(request.model) or PairPrompt()
        texts = [prompt.text(query, document) for query, document in request.pairs]
        scores, usage = await asking.values(request, receive, **{list(request.sides)[1]: texts})
        return scores[:, 0].tolist(), usage

    if head.rerankers:
        _add_comparisons(app, compare)


def _add_comparisons(app: FastAPI, compare: Compare) -> None:
    """POST /score and /rerank."""

    async def score(request: ScoreRequest, http: Request) -> Any:
        scores, usage = await compare(request, http.receive)
        data = [{"index": index, "object": "score", "score": value} for index, value in enumerate(scores)]
        return {**_head(request, "score"), "object": "list", "data": data, "usage": usage}

    async def rerank(request: RerankRequest, http: Request) -> Any:
        return _ranked(request, *await compare(request, http.receive))

    for paths, answer in ((SCORE_PATHS, score), (RERANK_PATHS, rerank)):
        for path in paths:
            app.add_api_route(path, answer, methods=["POST"], response_model=None)


def _given(request: ClassifyRequest | PoolingRequest) -> dict[str, Sequence[Text]]:
    """What it asks of, by its field."""
    if request.messages is not None:
        return {"messages": [tuple(message.said() for message in request.messages)]}
    return {"input": request.input or []}


def _activated(scores: torch.Tensor, head: Scores, is_asked: bool) -> torch.Tensor:
    return probabilities(scores, head.head) if is_asked else scores


def _check_task(request: PoolingRequest, task: str) -> None:
    if request.task not in (None, task):
        raise Refused(f"task: {request.task}: the model has {task} alone; leave it out", "task")


def _check_dimensions(head: Vectors, request: EmbeddingsRequest) -> None:
    """Raise Refused for beginnings of vectors that mean nothing."""
    known = head.dimensions.get(request.model, ())
    if request.dimensions is None or request.dimensions in known:
        return
    told = f"known are {', '.join(map(str, known))}" if known else "the model has learnt no beginnings of its vectors"
    raise Refused(f"dimensions: {request.dimensions}: {told}; leave it out, or train with matryoshkaDims", "dimensions")


def _ranked(request: RerankRequest, scores: Sequence[float], usage: dict[str, int]) -> dict[str, Any]:
    """The documents, the most relevant first; those of the same score in their own order."""
    order = sorted(range(len(scores)), key=lambda index: -scores[index])[: request.top_n or None]
    results = [
        {
            "index": index,
            **({"document": {"text": request.documents[index]}} if request.return_documents else {}),
            "relevance_score": scores[index],
        }
        for index in order
    ]
    return {"id": f"rerank-{uuid.uuid4().hex}", "model": request.model, "usage": usage, "results": results}


def _head(request: PoolingFields, prefix: str) -> dict[str, Any]:
    return {"id": f"{prefix}-{uuid.uuid4().hex}", "created": int(time.time()), "model": request.model}


async def _listed(
    request: PoolingFields, prefix: str, kind: str, key: str, values: torch.Tensor, form: str, usage: dict[str, int]
) -> JSONResponse:
    """A list of what each text has become. Many numbers are written in another thread."""

    def written() -> JSONResponse:
        rows = values.tolist() if form == "float" else [_base64(row) for row in values]
        data = [{"index": index, "object": kind, key: row} for index, row in enumerate(rows)]
        return JSONResponse({**_head(request, prefix), "object": "list", "data": data, "usage": usage})

    return await run_in_threadpool(written)


def _base64(values: torch.Tensor) -> str:
    """fp32, the lowest byte first, as OpenAI's clients read it."""
    return base64.b64encode(values.contiguous().numpy().astype("<f4").tobytes()).decode()
