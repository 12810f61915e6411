"""A progress endpoint on a real port, with the API server's answers and the cache's objects given by the test."""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry
from swiftlet.observability.authentication import Authenticator
from swiftlet.observability.progress import ProgressBoard
from swiftlet.observability.progress_rates import RateLimit
from swiftlet.observability.server import METRICS_LIMITS, PROGRESS_LIMITS, Checks, HttpServer, metrics_app, progress_app
from swiftlet.observability.server_forward import Leadership
from swiftlet.observability.server_progress import ProgressEndpoint
from swiftlet.wire.messages import PROGRESS_AUDIENCE

Manifest = dict[str, Any]


def claims_document(pod: str, namespace: str = "team", **change: Any) -> Manifest:
    """The payload of a pod's projected token (recorded from 1.36)."""
    now = int(time.time())
    return {
        "aud": [PROGRESS_AUDIENCE],
        "exp": now + 3600,
        "iat": now,
        "iss": "https://kubernetes.default.svc.cluster.local",
        "jti": "9c4e5d0a-8c1c-4f6e-a5a8-1a2b3c4d5e6f",
        "kubernetes.io": {
            "namespace": namespace,
            "node": {"name": "node-1", "uid": "uid-of-node-1"},
            "pod": {"name": pod, "uid": f"uid-of-{pod}"},
            "serviceaccount": {"name": "default", "uid": "uid-of-default"},
        },
        "nbf": now,
        "sub": f"system:serviceaccount:{namespace}:default",
        **change,
    }


def signed(claims: Any, signature: str = "signature") -> str:
    """Looks like a token that says `claims` (a document, or bytes as they are)."""
    said = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return f"header.{base64.urlsafe_b64encode(said).decode().rstrip('=')}.{signature}"


def token_of(pod: str, namespace: str = "team") -> str:
    """What looks like a token of `pod`."""
    return signed(claims_document(pod, namespace))


def review_of(pod: str, namespace: str = "team", audience: str = PROGRESS_AUDIENCE) -> Manifest:
    """What a real API server answers about the projected token of a pod (recorded from 1.36)."""
    prefix = "authentication.kubernetes.io/"
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "status": {
            "authenticated": True,
            "audiences": [audience],
            "user": {
                "username": f"system:serviceaccount:{namespace}:default",
                "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
                "extra": {f"{prefix}pod-name": [pod], f"{prefix}pod-uid": [f"uid-of-{pod}"]},
            },
        },
    }


@dataclass
class Cluster:
    """Reviews by token, and objects by (kind, namespace, name)."""

    reviews: dict[str, Manifest] = field(default_factory=dict)
    objects: dict[tuple[str, str | None, str], Manifest] = field(default_factory=dict)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    is_down: bool = False
    seconds: float = 0.0
    """Until the API server answers."""

    async def token_review(self, token: str, audiences: Sequence[str]) -> Manifest:
        self.asked.append((token, tuple(audiences)))
        await asyncio.sleep(self.seconds)
        if self.is_down:
            raise ConnectionError("no route to host")
        return self.reviews.get(token, {"status": {"authenticated": False, "error": "invalid bearer token"}})

    def get(self, kind: str, namespace: str | None, name: str) -> Manifest | None:
        return self.objects.get((kind, namespace, name))

    def add(self, pod: str, job: str, namespace: str = "team", job_namespace: str | None = None) -> str:
        """A pod of FineTuneJob `job`, and its token."""
        self._put("FineTuneJob", job_namespace or namespace, job, f"uid-{job}", None)
        self._put("Job", namespace, f"{job}-train-0", f"uid-{job}-0", ("FineTuneJob", job, f"uid-{job}"))
        self._put("Pod", namespace, pod, f"uid-of-{pod}", ("Job", f"{job}-train-0", f"uid-{job}-0"))
        token = token_of(pod, namespace)
        self.reviews[token] = review_of(pod, namespace)
        return token

    def _put(self, kind: str, namespace: str, name: str, uid: str, owner: tuple[str, str, str] | None) -> None:
        metadata: Manifest = {"name": name, "namespace": namespace, "uid": uid}
        if owner:
            reference = dict(zip(("kind", "name", "uid"), owner, strict=True))
            metadata["ownerReferences"] = [{**reference, "controller": True}]
        self.objects[kind, namespace, name] = {"kind": kind, "metadata": metadata}


@dataclass
class Endpoint:
    """A served endpoint."""

    board: ProgressBoard
    url: str
    session: ClientSession
    registry: CollectorRegistry
    metrics_url: str = ""

    async def post(
        self, body: Any, token: str | None, path: str = "/progress", **options: Any
    ) -> tuple[int, Manifest, Any]:
        """(status, answer, headers) of one report."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        payload = {"data": body} if isinstance(body, bytes) or hasattr(body, "__aiter__") else {"json": body}
        headers |= options.pop("headers", {})
        async with self.session.post(self.url + path, headers=headers, **payload, **options) as answer:
            return answer.status, await answer.json(), answer.headers


Scenario = Callable[[Endpoint], Awaitable[None]]
Serve = Callable[..., None]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def serve(cluster: Cluster) -> Serve:
    """Runs a scenario against a server on loopback."""

    async def served(scenario: Scenario, leadership: Leadership, checks: Checks, rates: RateLimit | None) -> None:
        registry, board = CollectorRegistry(), ProgressBoard()
        endpoint = ProgressEndpoint(board, Authenticator(cluster), cluster, leadership, registry, rates)
        server = HttpServer(progress_app(endpoint), PROGRESS_LIMITS, "127.0.0.1", 0)
        metrics = HttpServer(metrics_app(registry, checks), METRICS_LIMITS, "127.0.0.1", 0)
        await server.start()
        await metrics.start()
        urls = [f"http://127.0.0.1:{one.port}" for one in (server, metrics)]
        try:
            async with ClientSession() as session:
                await scenario(Endpoint(board, urls[0], session, registry, urls[1]))
        finally:
            await server.stop()
            await metrics.stop()

    def run(
        scenario: Scenario,
        leadership: Leadership | None = None,
        checks: Checks | None = None,
        rates: RateLimit | None = None,
    ) -> None:
        asyncio.run(served(scenario, leadership or Leadership(), checks or Checks(), rates))

    return run
