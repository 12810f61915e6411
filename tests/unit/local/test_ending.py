"""Waiting for the end of tasks."""

import asyncio

import pytest
from swiftlet.local.ending import end_tasks


async def stubborn() -> None:
    while True:
        try:
            await asyncio.sleep(0.5)
            return
        except asyncio.CancelledError:
            continue


def test_a_task_that_does_not_end_is_left_behind() -> None:
    async def scenario() -> bool:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        return await end_tasks([task], 0.1)

    assert asyncio.run(scenario()) is False


def test_none_and_tasks_that_raise_or_are_over_have_ended() -> None:
    async def scenario() -> list[bool]:
        async def raise_() -> None:
            raise ValueError

        over = asyncio.create_task(asyncio.sleep(0))
        await over
        return [await end_tasks([]), await end_tasks([over, asyncio.create_task(raise_())])]

    assert asyncio.run(scenario()) == [True, True]


def test_the_cancellation_of_the_caller_is_its_own() -> None:
    async def scenario() -> None:
        inner = asyncio.create_task(stubborn())
        outer = asyncio.create_task(end_tasks([inner], 5))
        await asyncio.sleep(0.01)
        outer.cancel()
        await outer

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(scenario())
