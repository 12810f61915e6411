"""The local engine: applies documents, lets the reconcilers and controllers work, and runs the pods."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from swiftlet.api.schema.defaulting import defaulted
from swiftlet.api.schema.problems import InvalidDocuments
from swiftlet.api.schema.validation import validate_update
from swiftlet.control.controller import Controller
from swiftlet.control.keys import Key
from swiftlet.control.queue import WorkQueue
from swiftlet.documents.document import Document
from swiftlet.kinds import RECONCILERS, Reconciler
from swiftlet.kinds.conditions.summary import settled
from swiftlet.local.authored import told
from swiftlet.local.controllers import CONTROLLERS
from swiftlet.local.ending import END_SECONDS, end_tasks
from swiftlet.local.kubelet import Kubelet
from swiftlet.local.leftovers import end_leftovers
from swiftlet.local.lock import StateLock
from swiftlet.local.looks import LocalLooks
from swiftlet.local.node import Node
from swiftlet.local.notices import Notice, ProgressNotice, Trouble
from swiftlet.local.objects import LocalStore
from swiftlet.local.places import DEFAULT_STATE, MODELS_CLAIM, local_capabilities, models_mirror
from swiftlet.local.podstatus import TERMINAL
from swiftlet.local.progress import ProgressReader
from swiftlet.local.scheduling import this_machine
from swiftlet.local.scope import needed
from swiftlet.local.store import Change, Store, key_of

RETRIES = 2.0, 30.0
"""The first and the longest pause after the disk or a reconciler refused, in seconds."""
PROGRESS_SECONDS = 0.2
STATUS_SECONDS = 0.5
"""Least time between two writes of a resource's status that only progress asks for."""


class Engine:
    """Works while it is entered: `async with Engine(state) as engine`.

    Entering takes the lock of the state folder (StateLockedError), ends what a killed engine left running, and takes up
    the stored work. Leaving stops every pod gently; everything is stored, and the next engine goes on.
    """

    def __init__(
        self,
        state: Path = DEFAULT_STATE,
        environ: Mapping[str, str] | None = None,
        reconcilers: Mapping[str, Reconciler] | None = None,
        backoff_seconds: tuple[float, float] = (2.0, 60.0),
        documents: Sequence[Document] | None = None,
    ) -> None:
        """environ: the environment to take settings and the pods' variables from, os.environ by default.

        documents: what will be applied; of what is stored, only what these need is worked on. None: everything.
        """
        self.state = state.absolute()
        self._environ = os.environ if environ is None else environ
        self._reconcilers = RECONCILERS if reconcilers is None else reconcilers
        self._backoff = backoff_seconds
        self._capabilities = local_capabilities()
        self._lock = StateLock(self.state)
        self._documents = documents
        self._subscribers: list[Callable[[Notice], None]] = []
        self._moved = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Engine":
        self._lock.__enter__()
        try:
            end_leftovers(self.state)
            self.store = Store(self.state)
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        self._node = Node(
            self.state,
            self.store,
            this_machine(self.state, self._environ),
            self._environ,
            {MODELS_CLAIM: models_mirror(self._environ)},
            self._backoff,
            self._trouble,
        )
        self.reports = ProgressReader(self._node)
        self._objects = LocalStore(self._node, self.reports, self._reconcilers)
        self._looks = LocalLooks(self._node, self._objects, self._capabilities, self._reconcilers, self._in_scope)
        queue = WorkQueue[Key](lambda depth: self._moved.set(), retries=RETRIES)
        self._controller = Controller(self._looks, on_error=self._failed, kinds=self._reconcilers, queue=queue)
        self._scope = None if self._documents is None else needed(self._documents, self.store)
        self._kubelet = Kubelet(self._node, self._in_scope)
        for pod in sorted(self.store.list("Pod"), key=lambda pod: str(pod["metadata"]["creationTimestamp"])):
            self.reports.read(pod)
        self.store.watch(self._seen)
        self._kubelet.start()
        left = [item for item in self.store.list() if not self._in_scope(item) and item.get("status")]
        await self._looks.tell_stopped(left, self._failed)
        for item in self.store.list():
            self._look_at(item)
        self._tasks = [*self._controller.start(1), asyncio.create_task(self._follow_progress())]
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.drain()
        finally:
            self._lock.__exit__(type_, error, traceback)

    # For the command line

    def subscribe(self, callback: Callable[[Notice], None]) -> Callable[[], None]:
        """Call `callback` with every change of an object, every report of progress and every trouble.

        Returns the function that ends it. The callback must be quick and must not write to the store.
        """
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def apply(self, documents: Sequence[Document]) -> list[dict[str, Any]]:
        """Store documents that were validated, with defaults filled in; returns them as stored.

        Raises InvalidDocuments, and stores nothing, when one of them changes an immutable field.
        """
        ours = [document for document in documents if document.kind in RECONCILERS or document.kind == "ComputeProfile"]
        problems = []
        for document in ours:
            stored = self.store.get(*document.key)
            if stored is not None:
                problems += validate_update(told(stored), document.object, document.source)
        if problems:
            raise InvalidDocuments(problems)
        items = [defaulted(document.object) if document in ours else document.object for document in documents]
        return [self.store.apply(dict(item), manager="documents") for item in items]

    def left_alone(self) -> list[dict[str, Any]]:
        """Resources that have not ended, and that this engine does not work on."""
        stored = (item for kind in self._reconcilers for item in self.store.list(kind))
        return [item for item in stored if not self._in_scope(item) and not settled(item)]

    def delete(self, kind: str, namespace: str | None, name: str) -> None:
        """Delete an object and what belongs to it; pods are stopped first."""
        self.store.delete(kind, namespace, name)

    def progress(self, uid: str) -> dict[str, Any] | None:
        """What the pods of the resource `uid` have reported."""
        return self.reports.of(uid)

    async def run(self, until: Callable[[], bool]) -> None:
        """Work until `until()` is true; it is asked when nothing is left to look at, and after every change since."""
        while True:
            for task in self._tasks:
                if task.done():
                    task.result()
            if self._controller.queue.empty() and until():
                return
            self._moved.clear()
            moved = asyncio.ensure_future(self._moved.wait())
            await asyncio.wait([moved, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
            moved.cancel()

    async def drain(self, grace_seconds: float | None = None) -> None:
        """Stop working: SIGTERM to every pod, SIGKILL after its grace period (or `grace_seconds`), and wait.

        Everything is stored by then, and every status tells that nothing runs. `kill` makes an end of the waiting.
        """
        await self._controller.drain(END_SECONDS)
        await end_tasks(self._tasks)
        self._tasks = []
        await self._kubelet.drain(grace_seconds)
        await self._looks.tell_stopped([item for item in self.store.list() if self._in_scope(item)], self._failed)

    @property
    def grace_seconds(self) -> float:
        """How long the pods of now may take to end."""
        return self._kubelet.grace_seconds

    def kill(self) -> None:
        """SIGKILL to every pod, while `drain` waits for them."""
        self._kubelet.kill()

    # Watching

    def _in_scope(self, item: dict[str, Any]) -> bool:
        """Whether an object is worked on: it belongs to nothing that could be left alone, or to what was asked for."""
        if self._scope is None:
            return True
        root = self._objects.resource_of(item)
        return root is None or root in self._scope

    def _seen(self, change: Change) -> None:
        item = change.object
        if item["kind"] == "Pod" and (item.get("status") or {}).get("phase") in TERMINAL:
            self.reports.read(item)
        self._look_at(item)
        self._tell(change)

    def _look_at(self, item: dict[str, Any]) -> None:
        """Queue everything that a change of `item` may concern."""
        kind, namespace, _ = key = key_of(item)
        if kind == "Event":
            return
        if kind in CONTROLLERS:
            self._controller.queue.add(key)
        for owner in item["metadata"].get("ownerReferences") or []:
            if owner["kind"] in CONTROLLERS:
                self._controller.queue.add((owner["kind"], namespace, owner["name"]))
        self._controller.wake(key, self._objects.resource_of(item))
        self._moved.set()

    async def _follow_progress(self) -> None:
        while True:
            for pod in self.store.list("Pod"):
                if (pod.get("status") or {}).get("phase") in TERMINAL:
                    continue
                with suppress(OSError):
                    uid = self.reports.read(pod)
                    if uid is not None and (resource := self._objects.resource_of(pod)):
                        self._controller.queue.add_after(resource, STATUS_SECONDS)
                        self._tell(ProgressNotice(resource, self.reports.of(uid) or {}))
            await asyncio.sleep(PROGRESS_SECONDS)

    def _tell(self, notice: Notice) -> None:
        for subscriber in list(self._subscribers):
            subscriber(notice)

    def _trouble(self, message: str) -> None:
        self._tell(Trouble(message))

    def _failed(self, key: Key, error: Exception) -> None:
        """Tell what went wrong with one object, or what the disk refused; it is tried again."""
        text = str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        self._trouble(f"{key[0]} {key[1]}/{key[2]}: {text}")
        stored = self.store.get(*key)
        if stored is not None and not isinstance(error, OSError):
            self._node.event(stored, "Warning", "ReconcileError", text)
