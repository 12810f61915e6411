"""What vLLM takes otherwise than the OpenAI API says: requests are put right, or refused, before vLLM reads them."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swiftlet_trainer.serve import openai_requests, pooling_requests
from swiftlet_trainer.serve.openai_errors import error_answer
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.vllm_agents import with_agent, write_of
from swiftlet_trainer.serve.vllm_tools import ServedAgents

AMENDED = frozenset({*openai_requests.PATHS, *pooling_requests.PATHS})
MODELS = "/v1/models/"
SPEAKING = ("system", "developer", "user", "tool")
"""Roles whose turns have a content. An assistant's may be calls alone; other roles are a model's own."""


class OpenAIRequests:
    """ASGI middleware: GET /v1/models/NAME, which vLLM does not have, and bodies as `amended` leaves them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._agents = ServedAgents.of_environment()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a model's card or a refusal, or pass on."""
        asked = (scope.get("method"), scope.get("path", ""))
        try:
            if asked[0] == "GET" and asked[1].startswith(MODELS):
                card = await _card(scope["app"].state, asked[1].removeprefix(MODELS))
                await JSONResponse(card)(scope, receive, send)
                return
            if asked[0] == "POST" and asked[1] in AMENDED:
                engine = scope["app"].state.engine_client
                scope, receive = _with_body(scope, receive, self._amended(await _read(receive), engine))
        except Refused as refusal:
            answer = error_answer(str(refusal), refusal.status, refusal.param, refusal.code)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _amended(self, body: bytes, engine: Any) -> bytes:
        """`body` itself where nothing changes: what is no JSON is vLLM's to refuse."""
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            return body
        if not isinstance(request, dict):
            return body
        changed = amended(request, engine.model_config.get_vocab_size())
        changed = with_agent(changed, self._agents, lambda agent: write_of(agent, engine.renderer))
        return body if changed == request else json.dumps(changed).encode()


def amended(request: Mapping[str, Any], vocabulary: int) -> dict[str, Any]:
    """The request that vLLM reads as OpenAI reads the one that came. Raises Refused for what it would answer otherwise.

    vocabulary: how many token ids the model has.

    - A request names its model; vLLM takes one that does not for the base.
    - A conversation has a turn, and whoever is asked or told something says it; vLLM takes nothing for an empty text.
    - Token ids that the model does not have fail in vLLM after a stream has begun with 200.
    - A kept answer's nulls and a turn of an assistant that said nothing reach vLLM's chat template, which adds texts.
    - An empty stop text asks for nothing.
    """
    if not request.get("model"):
        raise Refused("model: name the model that is to answer; /v1/models lists those that are served", "model")
    for field in ("prompt", "input"):
        _check_ids(request.get(field), field, vocabulary)
    changed = dict(request)
    if isinstance(turns := request.get("messages"), list):
        if not turns:
            raise Refused("messages: give at least one turn", "messages")
        changed["messages"] = [_turn(turn, f"messages.{number}.content") for number, turn in enumerate(turns)]
    if "stop" in request:
        stops = request["stop"] if isinstance(request["stop"], list) else [request["stop"]]
        kept = [text for text in stops if text != ""]
        changed["stop"] = kept if len(kept) < len(stops) else request["stop"]
    return changed


def _check_ids(given: Any, field: str, vocabulary: int) -> None:
    listed = given if isinstance(given, list) else []
    for token in (token for one in listed for token in (one if isinstance(one, list) else [one])):
        if isinstance(token, int | float) and not 0 <= token < vocabulary:
            raise Refused(f"token ids go from 0 to {vocabulary - 1}, given is {token}", field)


def _turn(turn: Any, content: str) -> Any:
    if not isinstance(turn, dict):
        return turn
    kept = {name: value for name, value in turn.items() if value is not None}
    if "content" not in kept and turn.get("role") in SPEAKING:
        raise Refused(f"{content}: is missing in a turn of the {turn['role']}; give a text or parts", content)
    said_nothing = turn.get("role") == "assistant" and "content" not in kept and not kept.get("tool_calls")
    return kept | ({"content": ""} if said_nothing else {})


async def _read(receive: Receive) -> bytes:
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def _with_body(scope: Scope, receive: Receive, body: bytes) -> tuple[Scope, Receive]:
    """The request with another body. What comes after it, that the client leaves, still comes."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replaying() -> Message:
        return left.pop() if left else await receive()

    kept = [header for header in scope["headers"] if header[0] not in (b"content-length", b"transfer-encoding")]
    return {**scope, "headers": [*kept, (b"content-length", str(len(body)).encode())]}, replaying


async def _card(state: Any, name: str) -> dict[str, Any]:
    listed = await state.openai_serving_models.show_available_models()
    cards: dict[str, dict[str, Any]] = {card["id"]: card for card in listed.model_dump()["data"]}
    if name not in cards:
        message = f"The model `{name}` does not exist; served are {', '.join(cards)}"
        raise Refused(message, "model", 404, "model_not_found")
    return cards[name]
