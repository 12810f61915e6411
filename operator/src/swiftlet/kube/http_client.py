"""The client: documents as JSON both ways over HTTP/1.1.

Who we are and where the cluster is comes from lightkube. Its client is left aside: its models drop fields that they do
not know, and a request through it takes 1.5 ms of processor time where aiohttp, which kopf brings along, takes 0.4 ms.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from lightkube.config.kubeconfig import SingleConfig
from yarl import URL

from swiftlet.api.v1alpha1.backends import WORKLOADS
from swiftlet.control.telemetry import SILENT, Telemetry
from swiftlet.kube.answers import ObjectList, decoded, listed, refusal
from swiftlet.kube.client import FIELD_MANAGER, ApiError, Manifest, Page, Watched
from swiftlet.kube.credentials import NoClusterError, authorization, tls_of
from swiftlet.kube.paths import TYPES
from swiftlet.kube.watch_stream import lines_of, watched

SMALLEST_CHUNK, LARGEST_CHUNK = 10, 100
"""Objects of one answer to a list. More would save little time and cost memory that is never given back."""
CHUNK_BYTES = 2 << 20
"""An answer is about this large at most, where its objects are like those of the one before."""
REQUEST_SECONDS = 15.0
CONNECTIONS = 32
WATCH_SECONDS = 300
"""A watch is begun again after this long, from where it ended."""
WATCH_TIMEOUT = ClientTimeout(total=None, sock_connect=10.0, sock_read=90.0)
"""The server tells a bookmark each minute, so a stream that is silent for longer has died."""
CREDENTIALS_SECONDS = 60.0
"""How long a token is used before its file is read again. The kubelet renews them long before they end."""

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON = "application/json"
METADATA = "application/json;as=PartialObjectMetadata{};v=v1;g=meta.k8s.io"
"""Source: Kubernetes API concepts, metadata-only fetches; formatted with `List` or nothing."""

NO_SUCH_VERSION = "1"
"""A resourceVersion that no object can have, since the API server's first writes are later. An apply that carries it
conflicts with whatever exists, and creates what does not."""


class HttpClient:
    """`swiftlet.kube.client.KubeClient`. Used as `async with HttpClient(access) as client`."""

    def __init__(
        self,
        access: SingleConfig,
        telemetry: Telemetry = SILENT,
        write_seconds: Callable[[], float] = lambda: math.inf,
        connections: int = CONNECTIONS,
    ) -> None:
        """write_seconds: for how long it may still write. Asked when a write is about to be sent, which is given up
        when that time is over; where none is left the write raises ApiError (reason NotLeader).

        Raises NoClusterError when certificates cannot be read.
        """
        self._access, self._telemetry, self._write_seconds = access, telemetry, write_seconds
        self._server = access.cluster.server.rstrip("/")
        self._tls = tls_of(access)
        self._slots = asyncio.Semaphore(connections)
        self._headers: dict[str, str] = {}
        self._headers_until = 0.0
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> "HttpClient":
        # Requests wait for a slot of ours, and not in the connector: what is decided at the time of sending stays true.
        # Watches are open all the time and take no slot.
        connector = TCPConnector(ssl=self._tls, limit=0)
        self._session = ClientSession(connector=connector, timeout=ClientTimeout(total=None))
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, kind: str, namespace: str | None, name: str) -> Manifest | None:
        try:
            found: Manifest = await self._request("get", "GET", kind, TYPES[kind].object(namespace, name))
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        return found

    async def list(
        self,
        kind: str,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> AsyncIterator[Page]:
        found = TYPES[kind]
        query = {"limit": str(SMALLEST_CHUNK)}
        accept = METADATA.format("List") if found.metadata_only else JSON
        selectors = {"labelSelector": label_selector, "fieldSelector": field_selector}
        query |= {name: text for name, text in selectors.items() if text}
        while True:
            content = await self._send("list", "GET", kind, found.collection(namespace), query, accept=accept)
            answer: ObjectList = decoded(content, ObjectList, f"GET {found.collection(namespace)}")
            items = [listed(found, kind, item) for item in answer.items or ()]
            yield Page(items, int(answer.metadata.resource_version))
            if not answer.metadata.continue_:
                return
            query["continue"] = answer.metadata.continue_
            fits = CHUNK_BYTES * len(items) // len(content)
            query["limit"] = str(min(max(fits, SMALLEST_CHUNK), LARGEST_CHUNK))

    async def watch(
        self, kind: str, namespace: str | None, label_selector: str | None, version: int
    ) -> AsyncIterator[Watched]:
        found = TYPES[kind]
        path = found.collection(namespace)
        query = {"watch": "true", "resourceVersion": str(version), "allowWatchBookmarks": "true"}
        query |= {"timeoutSeconds": str(WATCH_SECONDS)} | ({"labelSelector": label_selector} if label_selector else {})
        headers = {**await self._credentials(), "Accept": METADATA.format("") if found.metadata_only else JSON}
        try:
            url = URL(self._server + path).with_query(query)
            async with self._session.get(url, headers=headers, timeout=WATCH_TIMEOUT) as answer:
                if answer.status == 401:
                    self._headers_until = 0.0
                if answer.status >= 400:
                    raise refusal(answer, await answer.read())
                async for line in lines_of(answer.content):
                    yield watched(line, lambda item: listed(found, kind, item))
        except (ClientError, TimeoutError) as error:
            said = str(error) or type(error).__name__
            raise ApiError(0, "Unreachable", f"GET {self._server}{path}: {said}") from error

    async def apply(self, manifest: Manifest, create_only: bool = False) -> Manifest:
        metadata = manifest["metadata"]
        if create_only:
            manifest = {**manifest, "metadata": {**metadata, "resourceVersion": NO_SUCH_VERSION}}
        path = TYPES[manifest["kind"]].object(metadata.get("namespace"), metadata["name"])
        return await self._write("apply", "PATCH", manifest["kind"], path, manifest, APPLY, {"force": "true"})

    async def create(self, manifest: Manifest) -> Manifest:
        path = TYPES[manifest["kind"]].collection(manifest["metadata"].get("namespace"))
        return await self._write("create", "POST", manifest["kind"], path, manifest, JSON)

    async def patch(self, kind: str, namespace: str | None, name: str, patch: Manifest) -> Manifest:
        return await self._write("patch", "PATCH", kind, TYPES[kind].object(namespace, name), patch, MERGE)

    async def patch_status(self, kind: str, namespace: str | None, name: str, patch: Manifest) -> Manifest:
        path = f"{TYPES[kind].object(namespace, name)}/status"
        return await self._write("patch_status", "PATCH", kind, path, patch, MERGE)

    async def delete(self, kind: str, namespace: str | None, name: str, uid: str) -> None:
        policy = "Foreground" if kind in WORKLOADS else "Background"
        options = {"propagationPolicy": policy, "preconditions": {"uid": uid}}
        try:
            await self._request("delete", "DELETE", kind, TYPES[kind].object(namespace, name), None, options, JSON)
        except ApiError as error:
            # 409: the name has a new object, so the one that was meant is gone.
            if error.code not in (404, 409):
                raise

    async def served(self, api_version: str) -> set[str]:
        """The kinds that the API server serves of a group and version; empty when it does not know the group.

        Raises ApiError.
        """
        try:
            answer = await self._request("get", "GET", "APIResourceList", f"/apis/{api_version}")
        except ApiError as error:
            if error.code == 404:
                return set()
            raise
        return {resource["kind"] for resource in answer["resources"]}

    async def _write(
        self,
        verb: str,
        method: str,
        kind: str,
        path: str,
        body: Manifest,
        content_type: str,
        query: dict[str, str] | None = None,
    ) -> Manifest:
        query = {"fieldManager": FIELD_MANAGER, **(query or {})}
        stored: Manifest = await self._request(verb, method, kind, path, query, body, content_type)
        return stored

    async def _request(
        self,
        verb: str,
        method: str,
        kind: str,
        path: str,
        query: dict[str, str] | None = None,
        body: Manifest | None = None,
        content_type: str = JSON,
    ) -> Any:
        content = await self._send(verb, method, kind, path, query, body, content_type)
        return decoded(content, Any, f"{method} {path}")

    async def _send(
        self,
        verb: str,
        method: str,
        kind: str,
        path: str,
        query: dict[str, str] | None = None,
        body: Manifest | None = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> bytes:
        data = msgspec.json.encode(body) if body is not None else None
        url = URL(self._server + path).with_query(query) if query else URL(self._server + path)
        began, code = time.monotonic(), 0
        try:
            async with asyncio.timeout(REQUEST_SECONDS) as limit, self._slots:
                credentials = await self._credentials()
                if method != "GET":
                    self._fence(limit, f"{method} {path}")
                headers = {**credentials, "Content-Type": content_type, "Accept": accept}
                async with self._session.request(method, url, data=data, headers=headers) as answer:
                    code, content = answer.status, await answer.read()
        except (ClientError, TimeoutError) as error:
            said = str(error) or type(error).__name__
            raise ApiError(0, "Unreachable", f"{method} {self._server}{path}: {said}") from error
        finally:
            self._telemetry.requested(verb, kind, code, time.monotonic() - began)
        if code == 401 and credentials is self._headers:
            self._headers_until = 0.0
        if code >= 400:
            raise refusal(answer, content)
        return content

    def _fence(self, limit: asyncio.Timeout, what: str) -> None:
        """A write of a former leader must not arrive after its successor has begun."""
        left = self._write_seconds()
        if left <= 0:
            raise ApiError(0, "NotLeader", f"{what}: another replica may lead by now")
        if left < REQUEST_SECONDS:
            limit.reschedule(min(limit.when() or math.inf, asyncio.get_running_loop().time() + left))

    async def _credentials(self) -> dict[str, str]:
        """The headers that say who we are. While they are fetched anew everybody waits for them."""
        if time.monotonic() < self._headers_until:
            return self._headers
        async with self._renewing:
            if time.monotonic() >= self._headers_until:
                try:
                    header = await authorization(self._access)
                except NoClusterError as error:
                    raise ApiError(0, "NoCredentials", str(error)) from error
                self._headers = {"Authorization": header} if header else {}
                self._headers_until = time.monotonic() + CREDENTIALS_SECONDS
            return self._headers
