"""What comes while a new leader looks at what was there."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from swiftlet.app.leading import Leading
from swiftlet.app.settings import Settings
from swiftlet.control.telemetry import SILENT
from swiftlet.kube.cache import Cache
from swiftlet.kube.client import Listed, Page, Watched
from swiftlet.observability.progress import ProgressBoard

from .conftest import CAPABILITIES, Store, job

Manifest = dict[str, Any]
OLD = 150


class Restarted(Store):
    """Many resources are there without children, and one comes after they were listed."""

    def __init__(self) -> None:
        super().__init__()
        self.applied: list[str] = []
        self.asked: list[tuple[str, int]] = []

    async def list(self, kind: str, *_: Any) -> AsyncIterator[Page]:
        found = [job(f"old-{number}", number + 2) for number in range(OLD)] if kind == "FineTuneJob" else []
        listed = [
            Listed("team", one["metadata"]["name"], int(one["metadata"]["resourceVersion"]), lambda one=one: one)  # type: ignore[misc]
            for one in found
        ]
        yield Page(listed, 500)

    async def watch(self, kind: str, namespace: Any, selector: Any, version: int) -> AsyncIterator[Watched]:
        self.asked.append((kind, version))
        if kind == "FineTuneJob":
            await asyncio.sleep(0.1)
            yield Watched("ADDED", 501, Listed("team", "new", 501, lambda: job("new", 501)))
        await asyncio.sleep(3600)

    async def apply(self, manifest: Manifest, create_only: bool = False) -> Manifest:
        await asyncio.sleep(0.01)
        self.applied.append(manifest["metadata"]["ownerReferences"][0]["name"])
        return await super().apply(manifest, create_only)


def test_new_work_goes_before_what_was_there_when_the_leader_began() -> None:
    async def scenario() -> None:
        store = Restarted()
        leading = Leading(
            Settings(workers=2),
            CAPABILITIES,
            None,  # type: ignore[arg-type]
            store,  # type: ignore[arg-type]
            Cache(),
            ProgressBoard(),
            SILENT,
            lambda: datetime.now(UTC),
        )
        working = asyncio.create_task(leading._work())
        async with asyncio.timeout(60):
            while "new" not in store.applied:
                await asyncio.sleep(0.01)
        assert len(set(store.applied)) < OLD / 2
        assert ("FineTuneJob", 500) in store.asked
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await leading.quiesce(at_once=True)

    asyncio.run(scenario())
