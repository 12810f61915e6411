"""The work queue."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.control.queue import LONGEST_RETRY, TURN, Lane, WorkQueue, retry_delay


def test_a_key_waits_once_and_in_order() -> None:
    async def scenario() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        for key in ("a", "b", "a"):
            queue.add(key)
        return [(await queue.get())[0], (await queue.get())[0], str(queue.empty())]

    assert asyncio.run(scenario()) == ["a", "b", "True"]


def test_the_sooner_of_two_delays_counts(in_virtual_time: Any) -> None:
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

    assert in_virtual_time(scenario()) == pytest.approx(0.05)


def test_a_key_that_is_worked_on_waits_until_it_is_given_back() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        key, _ = await queue.get()
        queue.add("a")
        queue.add("a")
        assert queue.empty()
        assert not queue.idle()
        queue.done(key)
        assert (await queue.get())[0] == "a"
        queue.done("a")
        assert queue.idle()

    asyncio.run(scenario())


def test_workers_never_have_the_same_key_and_lose_none() -> None:
    async def scenario() -> None:
        queue: WorkQueue[int] = WorkQueue()
        working: set[int] = set()
        seen = dict.fromkeys(range(20), 0)

        async def work() -> None:
            while True:
                key, _ = await queue.get()
                assert key not in working
                working.add(key)
                await asyncio.sleep(0.001)
                seen[key] += 1
                working.discard(key)
                queue.done(key)

        workers = [asyncio.create_task(work()) for _ in range(5)]
        for _ in range(10):
            for key in seen:
                queue.add(key)
            await asyncio.sleep(0.002)
        async with asyncio.timeout(60):
            while not queue.idle():
                await asyncio.sleep(0.005)
        for worker in workers:
            worker.cancel()
        assert not any(worker.done() and worker.exception() for worker in workers if not worker.cancelled())
        assert min(seen.values()) >= 1

    asyncio.run(scenario())


def test_a_cancelled_worker_leaves_the_key_to_another_one() -> None:
    async def scenario() -> str:
        queue: WorkQueue[str] = WorkQueue()
        first, second = asyncio.create_task(queue.get()), asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.add("a")  # wakes the first one, which is cancelled before it can take the key
        first.cancel()
        return (await asyncio.wait_for(second, 60))[0]

    assert asyncio.run(scenario()) == "a"


def test_retries_come_later_each_time_until_the_key_is_well() -> None:
    async def scenario() -> list[float]:
        queue: WorkQueue[str] = WorkQueue(jitter=lambda: 0.5)
        delays = [queue.retry("a") for _ in range(4)]
        queue.forget("a")
        delays.append(queue.retry("a"))
        delays.append(queue.retry("a", at_least=7))
        queue.close()
        return delays

    assert asyncio.run(scenario()) == pytest.approx([0.005, 0.01, 0.02, 0.04, 0.005, 7])


@pytest.mark.parametrize("while_working", [False, True])
def test_nothing_brings_a_look_forward_that_the_server_asked_to_wait_with(
    while_working: bool, in_virtual_time: Any
) -> None:
    async def scenario() -> tuple[float, bool]:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        await queue.get()
        began = asyncio.get_running_loop().time()
        if while_working:
            queue.add("a")
        queue.retry("a", at_least=0.2)
        queue.done("a")
        queue.add("a")
        queue.add("b")
        assert (await queue.get())[0] == "b"
        assert (await queue.get())[0] == "a"
        waited = asyncio.get_running_loop().time() - began
        queue.done("a")
        queue.forget("a")
        queue.add("a")
        return waited, queue.empty()

    waited, empty = in_virtual_time(scenario())
    assert waited == pytest.approx(0.2)
    assert not empty


@pytest.mark.parametrize("failures", [1, 10, 60, 5000])
def test_a_retry_is_never_later_than_the_longest(failures: int) -> None:
    assert 0 < retry_delay(failures, 0.0) < retry_delay(failures, 0.99) <= LONGEST_RETRY * 1.2


def test_the_depth_is_told() -> None:
    depths: list[int] = []

    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue(depths.append)
        queue.add("a")
        queue.add("b")
        await queue.get()
        queue.done("a")

    asyncio.run(scenario())
    assert depths == [1, 2, 1]


async def _order(queue: WorkQueue[str], count: int) -> list[str]:
    taken = []
    for _ in range(count):
        key, _waited = await queue.get()
        taken.append(key)
        queue.done(key)
    return taken


def test_changes_go_before_first_looks_and_those_before_progress() -> None:
    async def scenario() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("figures", Lane.PROGRESS)
        queue.add("old", Lane.FIRST)
        queue.add("new")
        queue.add("also new")
        return await _order(queue, 4)

    assert asyncio.run(scenario()) == ["new", "also new", "old", "figures"]


@pytest.mark.parametrize("while_working", [False, True])
def test_a_change_takes_a_key_out_of_a_lower_lane_and_progress_does_not_put_it_back(while_working: bool) -> None:
    async def scenario() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        if while_working:
            queue.add("a")
            await queue.get()
        queue.add("a", Lane.PROGRESS)
        queue.add("a")
        queue.add("a", Lane.PROGRESS)
        queue.add("b", Lane.FIRST)
        if while_working:
            queue.done("a")
        assert len(queue) == 2
        return await _order(queue, 2)

    assert asyncio.run(scenario()) == ["a", "b"]


def test_no_lane_starves() -> None:
    async def scenario() -> dict[str, int]:
        queue: WorkQueue[str] = WorkQueue()
        places = {}
        queue.add("figures", Lane.PROGRESS)
        queue.add("old", Lane.FIRST)
        for number in range(10 * TURN):
            queue.add(f"new {number}")  # there is always something new
            key, _ = await queue.get()
            places.setdefault(key, number)
            queue.done(key)
        return places

    places = asyncio.run(scenario())
    assert max(places["figures"], places["old"]) < 2 * TURN


@given(st.lists(st.tuples(st.sampled_from(["add", "take", "done"]), st.integers(0, 4), st.sampled_from(Lane))))
def test_whatever_happens_a_key_waits_at_most_once_and_none_is_lost(steps: list[tuple[str, int, Lane]]) -> None:
    async def scenario() -> None:
        queue: WorkQueue[int] = WorkQueue(jitter=lambda: 0.5)
        wanted, working = set(), set()
        for step, key, lane in steps:
            if step == "add":
                queue.add(key, lane)
                wanted.add(key)
            elif step == "take" and not queue.empty():
                taken, _ = await queue.get()
                assert taken not in working
                working.add(taken)
                wanted.discard(taken)
            elif step == "done" and working:
                queue.done(working.pop())
            assert len(queue) == len([one for one in wanted if one not in working])
        for key in working:
            queue.done(key)
        assert sorted(await _order(queue, len(wanted))) == sorted(wanted)

    asyncio.run(scenario())
