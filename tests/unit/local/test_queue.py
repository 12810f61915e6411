"""The work queue."""

import asyncio

from swiftlet.local.queue import WorkQueue


def test_a_key_waits_once_and_in_order() -> None:
    async def scenario() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        for key in ("a", "b", "a"):
            queue.add(key)
        return [await queue.get(), await queue.get(), str(queue.empty())]

    assert asyncio.run(scenario()) == ["a", "b", "True"]


def test_the_sooner_of_two_delays_counts() -> None:
    async def scenario() -> float:
        queue: WorkQueue[str] = WorkQueue()
        loop = asyncio.get_running_loop()
        began = loop.time()
        queue.add_after("a", 30)
        queue.add_after("a", 0.05)
        queue.add_after("a", 20)
        await queue.get()
        took = loop.time() - began
        queue.close()
        return took

    assert 0.04 < asyncio.run(scenario()) < 5
