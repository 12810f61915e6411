"""The end of tasks, which is waited for, but never for ever."""

import asyncio
from collections.abc import Collection
from typing import Any

END_SECONDS = 1.0


async def end_tasks(tasks: Collection["asyncio.Task[Any]"], seconds: float = END_SECONDS) -> bool:
    """Cancel tasks and wait; whether all have ended. What they raised counts as told.

    One that clings to life is left behind. A cancellation of the caller is never taken for that of a task, as it would
    be around `await task`.
    """
    for task in tasks:
        task.cancel()
    if not tasks:
        return True
    ended, left = await asyncio.wait(tasks, timeout=seconds)
    for task in ended:
        if not task.cancelled():
            task.exception()
    return not left
