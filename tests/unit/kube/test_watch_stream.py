"""Lines of a watch as they come over the network."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.kube import watch_stream
from swiftlet.kube.client import ApiError, Listed
from swiftlet.kube.watch_stream import lines_of, watched


class Content:
    """The body of an answer, in these chunks."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    async def iter_any(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def read(chunks: list[bytes]) -> list[bytes]:
    async def all_lines() -> list[bytes]:
        return [line async for line in lines_of(Content(chunks))]  # type: ignore[arg-type]

    return asyncio.run(all_lines())


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=5), st.integers(1, 7))
def test_lines_however_they_are_cut(lines: list[bytes], size: int) -> None:
    body = b"".join(line + b"\n" for line in lines) + b"cut in the mid"
    assert read([body[at : at + size] for at in range(0, len(body), size)]) == lines


def test_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_stream, "LONGEST_LINE", 10)
    with pytest.raises(ApiError, match="longer than 10 bytes"):
        read([b"x" * 6, b"x" * 6])


def listed(item: msgspec.Raw) -> Listed:
    found = json.loads(bytes(item))["metadata"]
    return Listed("team", found["name"], int(found["resourceVersion"]), dict)


def event(type_: str, document: Any) -> bytes:
    return json.dumps({"type": type_, "object": document}).encode()


def test_events() -> None:
    found = watched(event("ADDED", {"metadata": {"name": "a", "resourceVersion": "7"}}), listed)
    assert (found.type, found.version, found.item and found.item.name) == ("ADDED", 7, "a")
    bookmark = watched(event("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "9"}}), listed)
    assert (bookmark.version, bookmark.item) == (9, None)


def test_a_version_that_is_too_old() -> None:
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 1 (9)"}
    with pytest.raises(ApiError, match="too old") as raised:
        watched(event("ERROR", status), listed)
    assert raised.value.code == 410


NO_VERSION = event("ADDED", {"metadata": {"name": "a", "resourceVersion": "x"}})


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"\xff", NO_VERSION])
def test_what_is_no_event(line: bytes) -> None:
    with pytest.raises(ApiError, match="cannot be read"):
        watched(line, listed)
