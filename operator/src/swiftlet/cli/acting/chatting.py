"""Talking to a served model over its OpenAI-compatible API."""

import base64
import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.world import World
from swiftlet.kinds.conditions.condition import find_condition

Object = dict[str, Any]
Messages = list[dict[str, str]]
Open = Callable[[str, Object, Mapping[str, str]], AbstractContextManager[httpx.Response]]
"""Posts a document to a URL with headers; the answer is read while it comes. Raises httpx.HTTPError."""
TASKS: Mapping[str, tuple[str, str, Object]] = {
    "generate": ("answers", "/v1/chat/completions", {"messages": [{"role": "user", "content": "Who are you?"}]}),
    "embed": ("makes vectors of texts", "/v1/embeddings", {"input": "Who are you?"}),
    "classify": ("gives texts scores", "/classify", {"input": "Who are you?"}),
}
"""By status.task: what such a server does, where it is asked, and for what."""
TIMEOUT = httpx.Timeout(300.0, connect=5.0)
"""Seconds; a long answer on a CPU takes minutes between request and first byte when it is not streamed."""


class Objects(Protocol):
    """A store, or a world."""

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """The object, or None."""


def post(url: str, document: Object, headers: Mapping[str, str]) -> AbstractContextManager[httpx.Response]:
    """Ask a server that this machine reaches (`Open`)."""
    return httpx.stream("POST", url, json=document, headers=dict(headers), timeout=TIMEOUT, trust_env=False)


@dataclass(frozen=True)
class Endpoint:
    """Where a served model answers."""

    name: str
    url: str
    models: tuple[str, ...]
    """Served names, the tuned model first."""
    key: str | None = None
    task: str = "generate"
    """What it does with texts, see TASKS."""
    open: Open = post

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


def endpoint_of(store: Objects, item: Object) -> Endpoint:
    """The endpoint of a Ready ModelDeployment. Raises CommandError, with what it waits for, when it is not ready."""
    name, status = item["metadata"]["name"], item.get("status") or {}
    ready = find_condition(item, "Ready") or {}
    if ready.get("status") != "True" or not status.get("url"):
        why = f"{ready.get('reason')}: {ready.get('message')}" if ready else "nothing has looked at it yet"
        raise CommandError(f"modeldeployment/{name} is not ready: {why}; see `swiftlet describe mdep {name}`")
    tuned = (item["spec"].get("api") or {}).get("servedName") or name
    served = sorted(status.get("servedNames") or [name], key=lambda model: model != tuned)
    return Endpoint(name, status["url"], tuple(served), _api_key(store, item), status.get("task") or "generate")


def find_deployment(world: World, namespace: str, name: str | None) -> Object:
    """The ModelDeployment to talk to: the named one, else the only one. Raises CommandError with how to serve it."""
    found = world.list("ModelDeployment", namespace)
    chosen = [item for item in found if name in (None, item["metadata"]["name"])]
    names = ", ".join(item["metadata"]["name"] for item in found)
    if not found:
        world.check_namespace(namespace)
    if name and not chosen:
        raise CommandError(
            f"there is no ModelDeployment {name!r}; " + (f"there are: {names}" if found else "there is none")
        )
    if not chosen:
        start = "start it with `swiftlet run PATH --keep`" if world.folder else "apply it with `kubectl apply -f PATH`"
        raise CommandError(f"there is no ModelDeployment; write one and {start}")
    if len(chosen) > 1:
        raise CommandError(f"there are several models; name one of: {names}")
    if not world.is_at_work():
        raise CommandError(
            f"modeldeployment/{chosen[0]['metadata']['name']} is not served, since no engine runs;"
            " start it with `swiftlet run PATH --keep`, and chat from another terminal"
        )
    return chosen[0]


def ask(endpoint: Endpoint, model: str, messages: Messages, max_tokens: int | None = None) -> str:
    """One answer as a whole, greedy. Raises CommandError."""
    return "".join(stream(endpoint, model, messages, max_tokens))


def stream(endpoint: Endpoint, model: str, messages: Messages, max_tokens: int | None = None) -> Iterator[str]:
    """The pieces of one answer as they come, greedy, so that the same question gets the same answer.

    Raises CommandError when the server has no chat, cannot be reached, refuses, or breaks off.
    """
    require_chat(endpoint)
    request: dict[str, Any] = {"model": model, "messages": messages, "stream": True, "temperature": 0}
    if max_tokens:
        request["max_tokens"] = max_tokens
    url = f"{endpoint.url.rstrip('/')}/chat/completions"
    try:
        with endpoint.open(url, request, endpoint.headers()) as reply:
            if reply.status_code != httpx.codes.OK:
                raise CommandError(f"{url} answered {reply.status_code}: {_detail(reply.read())}")
            yield from _pieces(reply.iter_lines())
    except httpx.HTTPError as error:
        raise CommandError(
            f"{url}: {error or type(error).__name__}; see `swiftlet logs mdep/{endpoint.name}`"
        ) from error


def require_chat(endpoint: Endpoint) -> None:
    """Raise CommandError, with how to ask, for a server that answers nothing."""
    if endpoint.task != "generate":
        does, _, _ = TASKS[endpoint.task]
        what = f"modeldeployment/{endpoint.name} {does} and answers nothing, so there is nobody to talk with"
        raise CommandError(f"{what}; ask it so:\n  {curl(endpoint)}")


def curl(endpoint: Endpoint) -> str:
    """A command that asks the server for what it does."""
    _, path, body = TASKS[endpoint.task]
    key = ' -H "Authorization: Bearer $API_KEY"' if endpoint.key else ""
    url = f"{endpoint.url.rstrip('/').removesuffix('/v1')}{path}"
    said = shlex.quote(json.dumps({"model": endpoint.models[0], **body}))
    return f"curl {url}{key} -H 'Content-Type: application/json' -d {said}"


def choose_model(endpoint: Endpoint, wanted: str | None) -> str:
    """The served name to ask. Raises CommandError for one that is not served."""
    if wanted is None:
        return endpoint.models[0]
    if wanted in endpoint.models:
        return wanted
    raise CommandError(f"{wanted!r} is not served; the served names are {', '.join(endpoint.models)}")


def _pieces(lines: Iterator[str]) -> Iterator[str]:
    """The text of server-sent events. Source: OpenAI chat completions, streaming."""
    for line in lines:
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]":
            continue
        event = json.loads(data)
        if "error" in event:
            raise CommandError(f"the server broke off: {event['error'].get('message', event['error'])}")
        for choice in event.get("choices") or []:
            if piece := (choice.get("delta") or {}).get("content"):
                yield piece


def _detail(body: bytes) -> str:
    try:
        document = json.loads(body)
        found = document.get("error", document.get("detail", document))
        return str(found.get("message", found) if isinstance(found, dict) else found)
    except (ValueError, AttributeError):
        return body.decode(errors="replace")[:500]


def _api_key(store: Objects, item: Object) -> str | None:
    """The key that the document refers to. Raises CommandError when it cannot be read."""
    reference = ((item["spec"].get("api") or {}).get("apiKey")) or {}
    if path := reference.get("file"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CommandError(f"spec.api.apiKey.file {path}: {error.strerror}") from error
    if secret := reference.get("secretRef"):
        found = store.get("Secret", item["metadata"].get("namespace"), secret["name"]) or {}
        coded = (found.get("data") or {}).get(secret["key"])
        if coded is None:
            raise CommandError(f"spec.api.apiKey.secretRef: there is no key {secret['key']} in Secret {secret['name']}")
        return base64.b64decode(coded).decode().strip()
    return None


def conversation(system: str | None, turns: Sequence[dict[str, str]] = ()) -> Messages:
    """Messages so far, behind the system message when there is one."""
    return [*([{"role": "system", "content": system}] if system else []), *turns]
