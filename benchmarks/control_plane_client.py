"""Clients of the control plane's benchmarks: a user who applies resources, and the bare client beside the operator.

The bare client does the least that is possible: the bodies are encoded before the clock starts, workers share one pool
of connections, and answers are read but not looked at.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec
from swiftlet.app.default_profile import default_profile
from swiftlet.kinds import RECONCILERS, Capabilities
from swiftlet.kube.credentials import load_access, tls_of
from swiftlet.kube.paths import TYPES
from swiftlet.kube.standing import signed
from testbed.operator_process import DEFAULT_PROFILE

Object = dict[str, Any]

CONNECTIONS = 16
"""The operator's default number of workers."""
CLAIM = "swiftlet-artifacts"


def job(namespace: str, name: str) -> Object:
    """The FineTuneJob of the benchmarks."""
    return {
        "apiVersion": "swiftlet.dev/v1alpha1",
        "kind": "FineTuneJob",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "model": {"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct"},
            "datasets": [{"uri": "configmap://rows/train.jsonl"}],
            "tuner": {"lora": {"rank": 16}},
            "training": {"epochs": 3, "learningRate": 1e-4},
        },
    }


class Client:
    """Requests to the API server as one user. A context manager."""

    def __init__(self, kubeconfig: Path) -> None:
        self._access = load_access(kubeconfig)
        self._server = self._access.cluster.server

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=tls_of(self._access), limit=CONNECTIONS)
        self._session = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def request(
        self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json"
    ) -> bytes:
        """The body of the answer. Raises RuntimeError when it is a refusal."""
        headers = {"Content-Type": content_type}
        async with self._session.request(method, self._server + path, data=body, headers=headers) as answer:
            content = await answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
            return content

    async def create(self, manifest: Object) -> Object:
        """Create an object; as stored."""
        path = TYPES[manifest["kind"]].collection(manifest["metadata"]["namespace"])
        stored: Object = msgspec.json.decode(await self.request("POST", path, msgspec.json.encode(manifest)))
        return stored

    async def create_all(self, manifests: Sequence[Object]) -> list[Object]:
        """Create objects, as many at a time as there are connections."""
        stored: list[Object] = []
        left = iter(manifests)

        async def work() -> None:
            for manifest in left:
                stored.append(await self.create(manifest))  # noqa: PERF401 - several workers fill one list

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
        return stored

    async def post_all(self, path: str, manifests: Sequence[Object]) -> None:
        """Create objects at a path, as many at a time as there are connections; what is answered is not looked at."""
        bodies = iter([msgspec.json.encode(manifest) for manifest in manifests])

        async def work() -> None:
            for body in bodies:
                await self.request("POST", path, body)

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))

    async def apply_all(self, manifests: Sequence[Object]) -> None:
        """Server-side apply, as many at a time as there are connections. Objects stay in order, so a worker applies
        the children of one resource one after the other, or several do."""
        query = "?fieldManager=bare&force=true"
        bodies = iter([(_path(manifest) + query, msgspec.json.encode(manifest)) for manifest in manifests])

        async def work() -> None:
            for path, body in bodies:
                await self.request("PATCH", path, body, "application/apply-patch+yaml")

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))

    async def count(self, kind: str, namespace: str) -> int:
        """How many objects of a kind there are."""
        answer = msgspec.json.decode(await self.request("GET", TYPES[kind].collection(namespace) + "?limit=1"))
        return len(answer["items"]) + int(answer["metadata"].get("remainingItemCount") or 0)

    async def furnish(self, namespace: str) -> None:
        """A namespace with what a FineTuneJob of the benchmarks needs."""
        await self.request("POST", "/api/v1/namespaces", msgspec.json.encode({"metadata": {"name": namespace}}))
        claim = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
        metadata = {"namespace": namespace}
        await self.create(
            {"kind": "ConfigMap", "metadata": {"name": "rows", **metadata}, "data": {"train.jsonl": "{}"}}
        )
        await self.create({"kind": "PersistentVolumeClaim", "metadata": {"name": CLAIM, **metadata}, "spec": claim})


class Furnished:
    """What the planner reads (`kinds.reading.Reader`) in a furnished namespace, for a resource without children."""

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        if (kind, name) not in (("ConfigMap", "rows"), ("PersistentVolumeClaim", CLAIM)):
            return None
        return {"kind": kind, "metadata": {"name": name, "namespace": namespace}, "data": {"train.jsonl": ""}}

    def children(self, namespace: str, owner_uid: str) -> list[Object]:
        return []

    def progress(self, uid: str) -> Object | None:
        return None

    def complaint(self, job: Object) -> None:
        return None

    def serves(self, kind: str) -> bool:
        return False


def children_of(stored: Object) -> list[Object]:
    """The objects that the operator would apply for a stored FineTuneJob, rendered by its own planner."""
    capabilities = Capabilities(default_profile=default_profile(DEFAULT_PROFILE))
    outcome = RECONCILERS["FineTuneJob"](stored, Furnished(), datetime.now(UTC), capabilities)
    return [signed(manifest) for manifest in outcome.desired]


def _path(manifest: Object) -> str:
    metadata = manifest["metadata"]
    return TYPES[manifest["kind"]].object(metadata["namespace"], metadata["name"])
