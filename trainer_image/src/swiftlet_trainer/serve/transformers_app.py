"""The OpenAI-compatible API of the transformers engine."""

import time
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

from swiftlet_trainer.serve import openai_requests, pooling_requests
from swiftlet_trainer.serve.generation_routes import add_generation
from swiftlet_trainer.serve.openai_errors import add_error_handlers
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.pooling_engine import PoolingEngine
from swiftlet_trainer.serve.pooling_routes import add_pooling
from swiftlet_trainer.serve.require_key import RequireKey
from swiftlet_trainer.serve.transformers_engine import TransformersEngine

WAIT_SECONDS = 300.0
"""How long a request waits for those before it; then 503."""


def build_app(
    engine: TransformersEngine | PoolingEngine, api_key: str | None, wait_seconds: float = WAIT_SECONDS
) -> FastAPI:
    """GET /health, /metrics, /v1/models and /v1/models/NAME, and what the engine does with texts.

    With an `api_key`, everything but /health asks for it (RequireKey).
    """
    app = FastAPI(title="Swiftlet", docs_url=None, redoc_url=None)
    started = int(time.time())
    add_error_handlers(app)
    if api_key is not None:
        app.add_middleware(RequireKey, api_key=api_key)  # the last one is outside of all others

    @app.head("/health", include_in_schema=False)
    @app.get("/health")
    async def health() -> dict[str, str]:
        if problem := engine.problem():
            raise Refused(problem, status=503)
        return {}

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(engine.metrics.page(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [_card(name, started) for name in engine.names]}

    @app.get("/v1/models/{name:path}")
    async def model(name: str) -> dict[str, Any]:
        engine.check_name(name)
        return _card(name, started)

    if isinstance(engine, PoolingEngine):
        add_pooling(app, engine, wait_seconds)
    else:
        add_generation(app, engine, wait_seconds)
    _explain_missing(app)
    return app


def _explain_missing(app: FastAPI) -> None:
    """Have paths that another model would have answer what this one has instead."""
    there = {path for route in app.routes if "POST" in (getattr(route, "methods", None) or ()) and (path := route.path)}

    async def missing() -> None:
        raise Refused(f"the model has no such endpoint; it has {', '.join(sorted(there))}", status=404)

    for path in {*openai_requests.PATHS, *pooling_requests.PATHS} - there:
        app.add_api_route(path, missing, methods=["POST"], include_in_schema=False)


def _card(name: str, started: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": started, "owned_by": "swiftlet"}
