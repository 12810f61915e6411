"""How this machine reaches a served model: where it runs here directly, on a cluster through the API server.

Source: Kubernetes, "Access Services Running on Clusters": the proxy subresource of Services.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from swiftlet.cli.acting.chatting import TIMEOUT, Endpoint, endpoint_of
from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.world import World

if TYPE_CHECKING:
    from swiftlet.cluster.connection import Connection

Object = dict[str, Any]


def reached(world: World, item: Object) -> Endpoint:
    """The endpoint of a Ready ModelDeployment, as it is asked from here. Raises CommandError and ClusterError."""
    endpoint = endpoint_of(world, item)
    if world.folder is not None:
        return endpoint
    from swiftlet.cli.reading.clusterworld import ClusterWorld

    assert isinstance(world, ClusterWorld)  # noqa: S101 - there are two worlds
    if endpoint.key:
        raise CommandError(
            f"modeldeployment/{endpoint.name} asks for a key, which the API server does not pass on; forward a port"
            f" with `kubectl port-forward service/{endpoint.name} 8000` and ask it there"
        )
    return through_proxy(world.connection, endpoint)


def through_proxy(connection: "Connection", endpoint: Endpoint) -> Endpoint:
    """The same model behind the API server's proxy of its Service."""
    inside = urlsplit(endpoint.url)
    service, namespace = (inside.hostname or "").split(".")[:2]
    path = f"/api/v1/namespaces/{namespace}/services/http:{service}:{inside.port}/proxy{inside.path}"

    @contextmanager
    def open_(url: str, document: Object, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        content = json.dumps(document).encode()
        with connection.open("POST", url, content=content, timeout=TIMEOUT) as answer:
            if answer.status_code >= httpx.codes.BAD_REQUEST and _is_of_the_api_server(answer):
                raise connection.refused(answer)
            yield answer

    return replace(endpoint, url=connection.access.server + path, open=open_)


def _is_of_the_api_server(answer: httpx.Response) -> bool:
    """Whether the API server itself refused, and not the model's server behind it."""
    try:
        return bool(json.loads(answer.read()).get("kind") == "Status")
    except (ValueError, AttributeError):
        return False
