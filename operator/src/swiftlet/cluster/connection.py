"""Requests to the API server, and its refusals as a person reads them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from swiftlet.cluster.access import Access
from swiftlet.cluster.errors import ClusterError, RefusedError
from swiftlet.cluster.granting import forbidden

Object = dict[str, Any]
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds; between two parts of an answer."""
JSON, APPLY = "application/json", "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


class Connection:
    """Speaks to one API server as one user. All methods raise ClusterError; RefusedError where the server said no."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._client = httpx.Client(
            base_url=access.server,
            verify=access.tls or False,
            proxy=access.proxy,
            timeout=TIMEOUT,
            event_hooks={"request": [self._sign]},
        )

    def close(self) -> None:
        """Let go of the server; nothing can be asked any more."""
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content_type: str = JSON,
    ) -> Any:
        """The answer's JSON."""
        content = json.dumps(body).encode() if body is not None else None
        with self.stream(method, path, query, content, content_type) as answer:
            text = answer.read()
        try:
            return json.loads(text)
        except ValueError as error:
            raise ClusterError(f"{method} {answer.url}: the answer is none of an API server: {error}") from error

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        content_type: str = JSON,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> Iterator[httpx.Response]:
        """An answer that was granted, to be read while it comes."""
        with self.open(method, path, query, content, content_type, timeout) as answer:
            if answer.status_code >= httpx.codes.BAD_REQUEST:
                answer.read()
                raise self.refused(answer)
            yield answer

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        content_type: str = JSON,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> Iterator[httpx.Response]:
        """Any answer, to be read while it comes: also a refusal, which may be that of who is behind the API server."""
        try:
            with self._client.stream(
                method,
                path,
                params=query,
                content=content,
                headers={"Content-Type": content_type},
                timeout=timeout,
                extensions=self._extensions(),
            ) as answer:
                yield answer
        except httpx.HTTPError as error:
            raise ClusterError(self._unreachable(error)) from error

    def _sign(self, request: httpx.Request) -> None:
        if header := self.access.authorization():
            request.headers["Authorization"] = header

    def _extensions(self) -> Object:
        return {"sni_hostname": self.access.server_name} if self.access.server_name else {}

    def _unreachable(self, error: httpx.HTTPError) -> str:
        said = str(error) or type(error).__name__
        remedy = (
            "the certificate-authority is not that of this server; fetch the kubeconfig anew"
            if "CERTIFICATE_VERIFY_FAILED" in said
            else "is the cluster up, and can this machine reach it? `kubectl cluster-info` asks the same"
        )
        access = self.access
        return f"{access.where}: the API server {access.server} cannot be reached: {said}; {remedy}"

    def refused(self, answer: httpx.Response) -> RefusedError:
        """A refusal, once read, as a person reads it."""
        code, where = answer.status_code, self.access.where
        reason, message = _status(answer)
        if code == httpx.codes.UNAUTHORIZED:
            self.access.on_unknown()
            message = (
                f"{where}: the API server {self.access.server} does not accept {self.access.credentials}"
                " (401 Unauthorized); they have expired or are another cluster's: log in anew"
            )
        elif code == httpx.codes.FORBIDDEN:
            message = f"{where}: {forbidden(message)}"
        elif code == httpx.codes.TOO_MANY_REQUESTS or code >= httpx.codes.INTERNAL_SERVER_ERROR:
            message = f"{where}: the API server answered {code}: {message}"
        return RefusedError(code, reason, message)


def _status(answer: httpx.Response) -> tuple[str, str]:
    """Reason and message of a metav1.Status; of anything else the words as they stand."""
    try:
        document = answer.json()
        return str(document.get("reason") or answer.reason_phrase), str(document["message"])
    except (ValueError, KeyError, AttributeError, TypeError):
        return answer.reason_phrase, answer.text.strip()[:500] or answer.reason_phrase
