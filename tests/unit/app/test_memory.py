"""Nothing of the operator grows with resources that are gone."""

import asyncio
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from swiftlet.app.leading import Leading
from swiftlet.app.settings import Settings
from swiftlet.control.telemetry import SILENT
from swiftlet.kube import cache as caches
from swiftlet.kube.cache import Cache
from swiftlet.observability.progress import ProgressBoard
from swiftlet.observability.progress_pace import LEAST_SECONDS

from .conftest import CAPABILITIES, Store, job

Manifest = dict[str, Any]
COUNT = 30


def sizes(root: Any) -> dict[str, int]:
    """The containers that the operator's own objects hold, by where they are; objects are seen once."""
    found: dict[str, int] = {}
    waiting, seen = deque([(type(root).__name__, root)]), set()
    while waiting:
        path, value = waiting.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict | list | set | deque):
            found[path] = found.get(path, 0) + len(value)
            children = value.values() if isinstance(value, dict) else value
            waiting.extend((f"{path}[]", child) for child in list(children))
        elif type(value).__module__.startswith("swiftlet."):
            waiting.extend((f"{path}.{name}", child) for name, child in _fields(value))
    return found


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    yield from vars(value).items() if hasattr(value, "__dict__") else ()


async def _live(leading: Leading, store: Store, cache: Cache, round_: int) -> None:
    """Resources come, report, and go: seen by the watch, by a listing, or by a write that finds nothing."""
    names = [f"bird-{round_}-{number}" for number in range(COUNT)]
    for name in names:
        leading._saw("FineTuneJob", "ADDED", job(name, next(store.versions)))
    await _idle(leading)
    assert len(store.children) >= COUNT
    for name in names:
        leading._board.report(f"uid-{name}", [{"time": "2026-01-01T12:00:00Z", "step": 3, "percent": 4}])
    store.gone.update(names[::3])
    await asyncio.sleep(LEAST_SECONDS)
    await _idle(leading)
    for child in store.children:
        leading._saw(
            child["kind"], "DELETED", {**child, "metadata": {**child["metadata"], "resourceVersion": "9999999"}}
        )
    store.children.clear()
    for name in names[::2]:
        leading._saw("FineTuneJob", "DELETED", job(name, next(store.versions)))
    for name in names[::3]:
        leading._saw("FineTuneJob", "DELETED", job(name, next(store.versions)))
    for ghost in cache.prune("FineTuneJob", None, [], next(store.versions)):
        leading.following.dropped(ghost)
    await asyncio.sleep(60)  # a look that was due is found to be for nothing then
    await _idle(leading)


async def _idle(leading: Leading) -> None:
    async with asyncio.timeout(600):
        while not leading.controller.queue.idle():
            await asyncio.sleep(0.01)


def test_memory_does_not_grow_with_resources_that_are_gone(monkeypatch: Any, in_virtual_time: Any) -> None:
    monkeypatch.setattr(caches, "REMEMBERED_SECONDS", -1.0)

    async def scenario() -> list[dict[str, int]]:
        store, cache, board = Store(), Cache(), ProgressBoard()
        leading = Leading(Settings(), CAPABILITIES, None, store, cache, board, SILENT, lambda: datetime.now(UTC))  # type: ignore[arg-type]
        leading.controller.start(4)
        seen = []
        for round_ in range(3):
            await _live(leading, store, cache, round_)
            await leading._events.flush(10)
            cache.prune("Job", None, [], 0)
            seen.append(sizes(leading))
        await leading.quiesce(at_once=True)
        return seen

    first, *_, last = in_virtual_time(scenario())
    grown = {path: (first.get(path, 0), size) for path, size in last.items() if size > first.get(path, 0)}
    assert not grown
