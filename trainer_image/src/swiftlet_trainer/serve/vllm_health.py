"""/health of vLLM's server, asked of the part that can hang: the loop of its engine, a process of its own.

vLLM's own /health is 200 as long as that process exists.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from swiftlet_trainer.serve.openai_errors import error_answer

PATH = "/health"
STALL_VARIABLE = "SWIFTLET_STALL_SECONDS"
"""Environment variable with another bound than STALL_SECONDS, which tests of hanging do not wait for."""
STALL_SECONDS = 120.0
"""Longer than any step of a batch takes on a GPU."""
LONGEST_STEP_SECONDS = 900.0
"""A step that computes on a CPU for so long ends for nobody any more."""
ANSWER_SECONDS = 1.0
"""How long one request for /health waits. An idle engine answers within milliseconds."""
WORKED_SECONDS = 1.0
"""CPU time by which a step that computes is told from one that hangs."""


class Loop:
    """The loop of an engine, which answers calls between two steps, before whatever waits in its queue.

    So a busy server is not taken for a dead one, nor does asking hold anybody up. A call that is not answered says that
    a step takes long. It hangs when it has taken `stall_seconds`; where it computes on the CPU, when in that time it
    used none of it.

    call: asks the loop for something that costs it nothing. cpu_seconds: CPU time that the engine has used; None where
    it waits for a GPU, which may use CPU time, too.
    """

    def __init__(
        self, call: Callable[[], Awaitable[Any]], cpu_seconds: Callable[[], float] | None, stall_seconds: float
    ) -> None:
        self._call, self._cpu_seconds, self._stall_seconds = call, cpu_seconds, stall_seconds
        self._asked: asyncio.Future[Any] | None = None
        self._began = self._moved = 0.0
        self._used: float | None = None

    async def problem(self) -> str | None:
        """Why the engine answers nobody any more, if so."""
        if self._asked is None:
            self._asked = asyncio.ensure_future(self._call())
            self._began = self._moved = time.monotonic()
            self._used = None
        asked = self._asked
        await asyncio.wait({asked}, timeout=ANSWER_SECONDS)
        if asked.done():
            self._asked = None if self._asked is asked else self._asked
            error = asked.exception()
            return f"the engine fails: {type(error).__name__}: {error}" if error else None
        return self._hanging(time.monotonic())

    def _hanging(self, now: float) -> str | None:
        if self._cpu_seconds:
            used = self._cpu_seconds()
            if self._used is None:
                self._used = used
            elif used - self._used >= WORKED_SECONDS:
                self._moved, self._used = now, used
        if now - self._moved > self._stall_seconds or now - self._began > LONGEST_STEP_SECONDS:
            return f"the engine's loop has not turned for {now - self._began:.0f} s"
        return None


class EngineHealth:
    """ASGI middleware that answers GET and HEAD /health: 200, or 503 with the reason."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._loop: Loop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer /health, or pass on."""
        if (scope.get("method"), scope.get("path")) not in {("GET", PATH), ("HEAD", PATH)}:
            await self._app(scope, receive, send)
            return
        if self._loop is None:
            self._loop = _loop_of(scope["app"].state.engine_client)
        problem = await self._loop.problem()
        answer = error_answer(problem, 503) if problem else Response()
        await answer(scope, receive, send)


def _loop_of(engine_client: Any) -> Loop:
    on_cpu = os.environ.get("VLLM_TARGET_DEVICE") == "cpu"
    stall_seconds = float(os.environ.get(STALL_VARIABLE) or STALL_SECONDS)
    return Loop(engine_client.is_paused, cpu_seconds_below if on_cpu else None, stall_seconds)


def cpu_seconds_below() -> float:
    """CPU time of the processes below this one, among them the engine's."""
    times = []
    for process in psutil.Process().children(recursive=True):
        try:
            times.append(process.cpu_times())
        except psutil.NoSuchProcess:
            continue
    return float(sum(one.user + one.system for one in times))
