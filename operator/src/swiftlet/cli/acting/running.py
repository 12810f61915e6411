"""`swiftlet run`: the engine at work, what a person sees of it, and when it ends."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from swiftlet.api import KINDS
from swiftlet.api.schema.problems import InvalidDocuments
from swiftlet.cli import exitcodes
from swiftlet.cli.acting.applying import to_replace
from swiftlet.cli.acting.farewell import Farewell
from swiftlet.cli.acting.stopping import Stop
from swiftlet.cli.errors import CommandError
from swiftlet.cli.printing.eventlines import EventLines
from swiftlet.cli.printing.resourcestate import ResourceState, state_of
from swiftlet.control.keys import Key
from swiftlet.documents import Document
from swiftlet.kinds.conditions.summary import settled
from swiftlet.local.ending import end_tasks
from swiftlet.local.engine import Engine

Object = dict[str, Any]
SHOW_SECONDS = 0.25


class View(Protocol):
    """Where progress is shown."""

    def __enter__(self) -> "View": ...
    def __exit__(self, *_: object) -> None: ...
    def say(self, text: str, warning: bool = False) -> None:
        """One line that stays."""

    def show(self, states: Sequence[ResourceState]) -> None:
        """Where the resources are now."""


@dataclass(frozen=True)
class RunRequest:
    """What the command line asked for."""

    documents: tuple[Document, ...]
    state: Path
    keep: bool = False
    replace: bool = False
    timeout: float | None = None
    ask: str | None = None


async def run(request: RunRequest, view: View) -> int:
    """Apply the documents, work until all have ended, say how; returns the exit code.

    Raises InvalidDocuments for changes of immutable fields, StateLockedError when another engine runs.
    """
    began = datetime.now(UTC)
    async with Engine(request.state, documents=request.documents) as engine:
        keys = _apply(engine, request)
        with view:
            stop = Stop(engine, view, request.timeout)
            _tell_left_alone(engine, view)
            showing = asyncio.create_task(_show(engine, keys, view))
            try:
                finished = await _until_settled(engine, keys, stop)
            finally:
                await _end(showing)
            view.show(_states(engine, keys))
        items = _stored(engine, keys)
        farewell = Farewell(engine.store, request.state, items, began, datetime.now(UTC))
        code = await _conclude(engine, request, farewell, stop) if finished else _unfinished(request, farewell, stop)
        if request.keep and code == exitcodes.OK and farewell.endpoints():
            farewell.print_serving()
            await _until_stopped(engine, stop)
            print("stopping the servers", flush=True)
        return code


def _apply(engine: Engine, request: RunRequest) -> list[Key]:
    """Store the documents; the keys of those that have an end to wait for."""
    if request.replace:
        for document in to_replace(engine.store, request.documents):
            print(f"{document.kind.lower()}/{document.name} is made anew")
            engine.delete(*document.key)
    try:
        engine.apply(request.documents)
    except InvalidDocuments as error:
        lines = "\n".join(str(problem) for problem in error.problems)
        hint = "give the resource a new name, or run with --replace, which deletes what was made for the old one"
        raise CommandError(f"{lines}\n{hint}", exitcodes.INVALID) from None
    return [document.key for document in request.documents if document.kind in KINDS]


def _tell_left_alone(engine: Engine, view: View) -> None:
    left = [f"{item['kind'].lower()}/{item['metadata']['name']}" for item in engine.left_alone()]
    if left:
        how = "it with its file" if len(left) == 1 else "them with their files"
        view.say(f"left alone: {', '.join(left)} (run {how})")


async def _show(engine: Engine, keys: Sequence[Key], view: View) -> None:
    lines = EventLines(engine.store, view)
    unsubscribe = engine.subscribe(lines.hear)
    try:
        while True:
            view.show(_states(engine, keys))
            await asyncio.sleep(SHOW_SECONDS)
    finally:
        unsubscribe()


async def _until_settled(engine: Engine, keys: Sequence[Key], stop: Stop) -> bool:
    """Whether everything has ended; False when it was stopped, or the time is over."""
    working = asyncio.create_task(engine.run(lambda: all(map(settled, _stored(engine, keys)))))
    asked = asyncio.create_task(stop.asked.wait())
    await asyncio.wait([working, asked], timeout=stop.seconds_left, return_when=asyncio.FIRST_COMPLETED)
    await _end(asked)
    if working.done():
        working.result()
        return True
    if not stop.asked.is_set():
        stop.out_of_time()
    await _end(working)
    return False


async def _conclude(engine: Engine, request: RunRequest, farewell: Farewell, stop: Stop) -> int:
    """Print how it ended, and ask the served models."""
    farewell.print_results()
    if request.ask:
        asking = asyncio.create_task(farewell.print_answers(request.ask))
        asked = asyncio.create_task(stop.asked.wait())
        # The server is a process of ours: the engine must go on while it answers.
        working = asyncio.create_task(engine.run(asking.done))
        await asyncio.wait([asking, asked], timeout=stop.seconds_left, return_when=asyncio.FIRST_COMPLETED)
        await _end(working, asked)
        if not asking.done():
            if not stop.asked.is_set():
                stop.out_of_time()
            await _end(asking)
            return _unfinished(request, farewell, stop)
        asking.result()
    stop.finished()
    farewell.print_times()
    failed = farewell.print_failures()
    if not failed and not request.keep and farewell.endpoints():
        print("All succeeded. The servers are stopped now; --keep leaves them up.", flush=True)
    return exitcodes.FAILED if failed else exitcodes.OK


def _unfinished(request: RunRequest, farewell: Farewell, stop: Stop) -> int:
    """Say what was left undone."""
    farewell.print_failures()
    if stop.asked.is_set():
        return stop.code
    print(f"not finished within {request.timeout:g} s; run again to go on", flush=True)
    return exitcodes.TIMEOUT


async def _until_stopped(engine: Engine, stop: Stop) -> None:
    working = asyncio.create_task(engine.run(stop.asked.is_set))
    asked = asyncio.create_task(stop.asked.wait())
    await asyncio.wait([working, asked], return_when=asyncio.FIRST_COMPLETED)
    await _end(working, asked)


async def _end(*tasks: "asyncio.Task[Any]") -> None:
    await end_tasks(tasks)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()


def _stored(engine: Engine, keys: Sequence[Key]) -> list[Object]:
    return [item for key in keys if (item := engine.store.get(*key)) is not None]


def _states(engine: Engine, keys: Sequence[Key]) -> list[ResourceState]:
    return [state_of(item) for item in _stored(engine, keys) if item["kind"] != "ComputeProfile"]
