"""Progress reports with tokens that a real API server has made, and that it is asked about."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession
from kubernetes import client
from prometheus_client import CollectorRegistry
from swiftlet.kube.credentials import load_access
from swiftlet.kube.http_client import HttpClient
from swiftlet.observability.authentication import Authenticator
from swiftlet.observability.authentication_review import ClusterTokenReviewer
from swiftlet.observability.progress import ProgressBoard
from swiftlet.observability.server import PROGRESS_LIMITS, HttpServer, progress_app
from swiftlet.observability.server_forward import Leadership
from swiftlet.observability.server_progress import ProgressEndpoint
from swiftlet.observability.token_claims import PodIdentity, UnauthenticatedError, claims_of
from testbed.controlplane import ControlPlane

AUDIENCE = "swiftlet-operator"
REPORT = [{"time": "2026-01-01T12:00:00Z", "step": 3, "totalSteps": 9}]
JOB: dict[str, Any] = {
    "apiVersion": "swiftlet.dev/v1alpha1",
    "kind": "FineTuneJob",
    "spec": {"model": {"uri": "hf://org/model"}, "datasets": [{"uri": "configmap://rows/a.jsonl"}]},
}


class Team:
    """Jobs, pods and tokens in one namespace."""

    def __init__(self, namespace: str, kube: client.ApiClient) -> None:
        self.namespace = namespace
        self._core, self._custom = client.CoreV1Api(kube), client.CustomObjectsApi(kube)
        self._kube = kube

    def job(self, name: str) -> str:
        """A FineTuneJob; returns its uid."""
        document = {**JOB, "metadata": {"name": name}}
        made = self._custom.create_namespaced_custom_object(
            "swiftlet.dev", "v1alpha1", self.namespace, "finetunejobs", document
        )
        return str(made["metadata"]["uid"])

    def pod(self, name: str, job: str, uid: str) -> str:
        """A pod that the job controls; returns its uid."""
        owner = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "name": job, "uid": uid}
        owners = [{**owner, "controller": True}]
        spec = {"containers": [{"name": "main", "image": "none"}], "automountServiceAccountToken": False}
        made = self._core.create_namespaced_pod(
            self.namespace, {"metadata": {"name": name, "ownerReferences": owners}, "spec": spec}
        )
        return str(made.metadata.uid)

    def token(self, pod: str | None = None, uid: str | None = None, audience: str = AUDIENCE) -> str:
        """A token as the kubelet projects it into a pod; without one, a token of the account alone."""
        bound = {"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid} if pod else None
        spec = {"audiences": [audience], "expirationSeconds": 3600, "boundObjectRef": bound}
        made = self._core.create_namespaced_service_account_token("default", self.namespace, {"spec": spec})
        return str(made.status.token)

    def delete_pod(self, name: str) -> None:
        self._core.delete_namespaced_pod(name, self.namespace, grace_period_seconds=0)

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """The operator's cache, as far as the endpoint looks into it."""
        try:
            if kind == "Pod":
                found = self._core.read_namespaced_pod(name, namespace)
                return dict(self._kube.sanitize_for_serialization(found))
            return dict(
                self._custom.get_namespaced_custom_object("swiftlet.dev", "v1alpha1", namespace, "finetunejobs", name)
            )
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise


@pytest.fixture
def team(namespace: str, kube: client.ApiClient) -> Team:
    return Team(namespace, kube)


@pytest.fixture
def ask(control_plane: ControlPlane) -> Callable[[Callable[[Authenticator], Awaitable[None]]], None]:
    """Runs a scenario with an Authenticator that asks the API server through the operator's own client."""

    def run(scenario: Callable[[Authenticator], Awaitable[None]]) -> None:
        async def asked() -> None:
            async with HttpClient(load_access(control_plane.kubeconfig)) as operator:
                await scenario(Authenticator(ClusterTokenReviewer(operator)))

        asyncio.run(asked())

    return run


async def check(authenticator: Authenticator, token: str) -> PodIdentity:
    """Whose token it is. Raises UnauthenticatedError."""
    claims = claims_of(token, time.time())
    await authenticator.authenticate(token, claims, "10.0.0.1")
    return claims.pod


async def refusal(authenticator: Authenticator, token: str) -> str:
    """In which words a token is refused, as soon as it is: the API server learns from a watch what was deleted, and
    believes for ten seconds in a token that it has checked."""
    async with asyncio.timeout(60):
        while True:
            try:
                await check(authenticator, token)
            except UnauthenticatedError as error:
                return str(error)
            await asyncio.sleep(0.2)


def test_the_pod_of_a_projected_token(team: Team, ask: Any) -> None:
    uid = team.pod("bird-0", "bird", team.job("bird"))
    token = team.token("bird-0", uid)

    async def scenario(authenticator: Authenticator) -> None:
        assert await check(authenticator, token) == PodIdentity(team.namespace, "bird-0", uid)

    ask(scenario)


def test_tokens_that_let_nobody_in(team: Team, ask: Any) -> None:
    uid = team.pod("bird-0", "bird", team.job("bird"))
    good = team.token("bird-0", uid)
    for_others, unbound = team.token("bird-0", uid, "https://kubernetes.default.svc"), team.token()
    head, body, signature = good.split(".")
    forged = f"{head}.{body}.{signature[::-1]}"

    async def scenario(authenticator: Authenticator) -> None:
        for token, words in ((for_others, "for the audience"), (unbound, "not bound to a pod"), (forged, "not valid")):
            with pytest.raises(UnauthenticatedError, match=words):
                await check(authenticator, token)
        team.delete_pod("bird-0")
        assert "deleted pod" in await refusal(authenticator, good)

    ask(scenario)


def test_reports_of_two_jobs(team: Team, ask: Any) -> None:
    bird, fish = team.job("bird"), team.job("fish")
    jobs = {"bird": bird, "fish": fish}
    tokens = {name: team.token(f"{name}-0", team.pod(f"{name}-0", name, uid)) for name, uid in jobs.items()}

    async def scenario(authenticator: Authenticator) -> None:
        board, registry = ProgressBoard(), CollectorRegistry()
        endpoint = ProgressEndpoint(board, authenticator, team, Leadership(), registry)
        server = HttpServer(progress_app(endpoint), PROGRESS_LIMITS, "127.0.0.1", 0)
        await server.start()

        async def post(uid: str, token: str) -> int:
            url, headers = f"http://127.0.0.1:{server.port}/progress/{uid}", {"Authorization": f"Bearer {token}"}
            async with ClientSession() as session, session.post(url, json=REPORT, headers=headers) as answer:
                return answer.status

        try:
            assert await post(bird, tokens["bird"]) == 200
            assert await post(bird, tokens["fish"]) == 403
            assert await post(bird, "a.b.c") == 401
        finally:
            await server.stop()
        assert (board.of(bird) or {})["step"] == 3
        assert board.of(fish) is None

    ask(scenario)
