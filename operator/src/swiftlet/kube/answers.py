"""The API server's answers, from bytes to what the client gives back."""

import sys
from typing import Any

import msgspec
from aiohttp import ClientResponse

from swiftlet.kube.client import ApiError, Listed, Manifest
from swiftlet.kube.paths import ResourceType


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str
    continue_: str = msgspec.field(name="continue", default="")


class ObjectList(msgspec.Struct):
    items: list[msgspec.Raw] | None
    """Null in an empty list of metadata."""
    metadata: _ListMeta


class _Metadata(msgspec.Struct, rename="camel"):
    name: str
    resource_version: str
    namespace: str = ""


class _Item(msgspec.Struct):
    metadata: _Metadata


def decoded(content: bytes, type_: Any, what: str) -> Any:
    """An answer that was granted. A proxy's page in the API server's place is as good as no answer."""
    try:
        return msgspec.json.decode(content, type=type_)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ApiError(0, "Unreachable", f"{what}: the answer is none of the API server's: {error}") from error


def listed(found: ResourceType, kind: str, item: msgspec.Raw) -> Listed:
    """Most of an item is managedFields; to skip them takes a tenth of the time of reading them."""
    metadata = msgspec.json.decode(item, type=_Item).metadata

    def read() -> Manifest:
        return {**msgspec.json.decode(item), "apiVersion": found.api_version, "kind": kind}

    return Listed(sys.intern(metadata.namespace), metadata.name, int(metadata.resource_version), read)


def refusal(answer: ClientResponse, content: bytes) -> ApiError:
    """The API server's own words where it gave any, a proxy's status line otherwise."""
    wait = answer.headers.get("Retry-After", "")
    retry_after = float(wait) if wait.isdigit() else None
    try:
        status = msgspec.json.decode(content)
        return ApiError(answer.status, status.get("reason") or "Unknown", status["message"], retry_after)
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError):
        text = f"{answer.method} {answer.url.path}: HTTP {answer.status} {answer.reason}"
        return ApiError(answer.status, answer.reason or "Unknown", text, retry_after)
