"""The lines of a watch, read no further than the version of an object.

Source: Kubernetes API concepts, "Efficient detection of changes": one JSON document per line, `type` and `object`.
"""

from collections.abc import AsyncIterator, Callable

import msgspec
from aiohttp import StreamReader

from swiftlet.kube.client import ApiError, Listed, Watched

LONGEST_LINE = 8 << 20
"""Bytes. etcd takes objects of 1.5 MiB; JSON may write a byte as six."""


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Version(msgspec.Struct, rename="camel"):
    resource_version: str


class _Bookmark(msgspec.Struct):
    metadata: _Version


class _Status(msgspec.Struct):
    code: int = 0
    reason: str = "Unknown"
    message: str = "the watch ended with an error"


async def lines_of(content: StreamReader) -> AsyncIterator[bytes]:
    """Complete lines, of whatever length up to LONGEST_LINE. Raises ApiError for a longer one."""
    rest = bytearray()
    async for chunk in content.iter_any():
        rest += chunk
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield bytes(line)
        if len(rest) > LONGEST_LINE:
            raise ApiError(0, "TooLong", f"an event of a watch is longer than {LONGEST_LINE} bytes")


def watched(line: bytes, listed: Callable[[msgspec.Raw], Listed]) -> Watched:
    """One line. Raises ApiError for an event of type ERROR, and for a line that is no event."""
    try:
        event = msgspec.json.decode(line, type=_Event)
        if event.type == "ERROR":
            status = msgspec.json.decode(event.object, type=_Status)
            raise ApiError(status.code, status.reason, status.message)
        if event.type == "BOOKMARK":
            version = msgspec.json.decode(event.object, type=_Bookmark).metadata.resource_version
            return Watched(event.type, int(version), None)
        item = listed(event.object)
    except (msgspec.DecodeError, ValueError) as error:
        raise ApiError(0, "Malformed", f"an event of a watch cannot be read: {error}") from error
    return Watched(event.type, item.version, item)
