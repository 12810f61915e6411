"""The local engine: applies documents, lets the reconcilers and controllers work, and runs the pods."""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from swiftlet.api.defaulting import defaulted
from swiftlet.api.problems import InvalidDocuments
from swiftlet.api.validation import validate_update
from swiftlet.documents.document import Document
from swiftlet.kinds import RECONCILERS, Reconciler
from swiftlet.kinds.conditions.summary import settled
from swiftlet.kinds.frame.invalid import decided
from swiftlet.kinds.frame.outcome import Outcome
from swiftlet.kinds.owning.owners import root_of
from swiftlet.kube.queue import WorkQueue
from swiftlet.local.authored import told
from swiftlet.local.controllers import CONTROLLERS, run_controller, tell_stopped
from swiftlet.local.ending import end_tasks
from swiftlet.local.kubelet import Kubelet
from swiftlet.local.leftovers import end_leftovers
from swiftlet.local.lock import StateLock
from swiftlet.local.node import Node
from swiftlet.local.notices import Notice, ProgressNotice, Trouble
from swiftlet.local.places import DEFAULT_STATE, MODELS_CLAIM, local_capabilities, models_mirror
from swiftlet.local.podstatus import TERMINAL
from swiftlet.local.progress import ProgressReader
from swiftlet.local.scheduling import this_machine
from swiftlet.local.scope import needed
from swiftlet.local.store import Change, Key, Store, key_of
from swiftlet.local.storereader import StoreReader

RETRY_SECONDS = 2.0
"""Pause after the disk or a reconciler refused."""
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
        self._owners: dict[str, Key] = {}
        self._queue: WorkQueue[Key] = WorkQueue()
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
        self._reader = StoreReader(self.store, self.reports)
        self._scope = None if self._documents is None else needed(self._documents, self.store)
        self._kubelet = Kubelet(self._node, self._in_scope)
        for pod in sorted(self.store.list("Pod"), key=lambda pod: str(pod["metadata"]["creationTimestamp"])):
            self.reports.read(pod)
        self.store.watch(self._seen)
        self._kubelet.start()
        self._tell_stopped(item for item in self.store.list() if not self._in_scope(item) and item.get("status"))
        for item in self.store.list():
            self._look_at(item)
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._follow_progress())]
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
            if self._queue.empty() and until():
                return
            self._moved.clear()
            moved = asyncio.ensure_future(self._moved.wait())
            await asyncio.wait([moved, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
            moved.cancel()

    async def drain(self, grace_seconds: float | None = None) -> None:
        """Stop working: SIGTERM to every pod, SIGKILL after its grace period (or `grace_seconds`), and wait.

        Everything is stored by then, and every status tells that nothing runs. `kill` makes an end of the waiting.
        """
        await end_tasks(self._tasks)
        self._tasks = []
        self._queue.close()
        await self._kubelet.drain(grace_seconds)
        self._tell_stopped(item for item in self.store.list() if self._in_scope(item))

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
        root = root_of(item, self.store.get)
        if self._scope is None or root is None or root["kind"] not in self._reconcilers:
            return True
        return key_of(root) in self._scope

    def _seen(self, change: Change) -> None:
        item = change.object
        if item["kind"] == "Pod" and (item.get("status") or {}).get("phase") in TERMINAL:
            self.reports.read(item)
        self._look_at(item)
        if change.type == "DELETED":
            self._owners.pop(item["metadata"]["uid"], None)
        self._tell(change)

    def _look_at(self, item: dict[str, Any]) -> None:
        """Queue everything that a change of `item` may concern."""
        kind, namespace, _ = key = key_of(item)
        if kind == "Event":
            return
        if kind in CONTROLLERS:
            self._queue.add(key)
        for owner in item["metadata"].get("ownerReferences") or []:
            if owner["kind"] in CONTROLLERS:
                self._queue.add((owner["kind"], namespace, owner["name"]))
        if kind in self._reconcilers:
            self._owners[item["metadata"]["uid"]] = key
        root = root_of(item, self.store.get)
        if root is None or root["kind"] not in self._reconcilers or kind in self._reconcilers:
            # A resource, or something that resources may name: every one of them decides for itself.
            for resource in self._owners.values():
                self._queue.add(resource)
        else:
            self._queue.add(key_of(root))
        self._moved.set()

    async def _follow_progress(self) -> None:
        while True:
            for pod in self.store.list("Pod"):
                if (pod.get("status") or {}).get("phase") in TERMINAL:
                    continue
                with suppress(OSError):
                    uid = self.reports.read(pod)
                    if uid in self._owners:
                        self._queue.add_after(self._owners[uid], STATUS_SECONDS)
                        self._tell(ProgressNotice(self._owners[uid], self.reports.of(uid) or {}))
            await asyncio.sleep(PROGRESS_SECONDS)

    def _tell(self, notice: Notice) -> None:
        for subscriber in list(self._subscribers):
            subscriber(notice)

    def _trouble(self, message: str) -> None:
        self._tell(Trouble(message))

    # Working

    async def _work(self) -> None:
        while True:
            key, _ = await self._queue.get()
            try:
                again = self._controlled(key) if key[0] in CONTROLLERS else self._reconciled(key)
            except Exception as error:
                # One object that cannot be worked on, or a full disk, must not stop the others.
                self._failed(key, error)
                again = RETRY_SECONDS
            self._queue.done(key)
            if again is not None:
                self._queue.add_after(key, again)
            self._moved.set()
            await asyncio.sleep(0)

    def _failed(self, key: Key, error: Exception) -> None:
        """Tell what went wrong; it is tried again."""
        text = str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        self._trouble(f"{key[0]} {key[1]}/{key[2]}: {text}")
        stored = self.store.get(*key)
        if stored is not None and not isinstance(error, OSError):
            self._node.event(stored, "Warning", "ReconcileError", text)

    def _controlled(self, key: Key) -> float | None:
        controlled = self.store.get(*key)
        if controlled is None or not self._in_scope(controlled):
            return None
        return run_controller(key, self.store, self._node, datetime.now(UTC))

    def _reconciled(self, key: Key) -> float | None:
        resource = self.store.get(*key)
        if resource is None or not self._in_scope(resource):
            return None
        outcome = self._outcome(resource)
        for reference in outcome.delete:
            self.store.delete(reference.kind, reference.namespace, reference.name)
        for patch in outcome.patches:
            self.store.patch(patch.target.kind, patch.target.namespace, patch.target.name, patch.fields)
        for manifest in outcome.desired:
            self.store.apply(manifest, manager="operator")
        # Without children that it counts on, a status must not be seen: it goes last.
        self._report(resource, outcome)
        return outcome.requeue_after

    def _outcome(self, resource: dict[str, Any]) -> Outcome:
        reconciler = self._reconcilers[resource["kind"]]
        return decided(reconciler, resource, self._reader, datetime.now(UTC), self._capabilities)

    def _report(self, resource: dict[str, Any], outcome: Outcome) -> None:
        self.store.update_status(*key_of(resource), status=outcome.status)
        for event in outcome.events:
            self._node.event(resource, event.type, event.reason, event.message)

    def _tell_stopped(self, items: Iterable[dict[str, Any]]) -> None:
        """Write what is true of objects whose pods have ended; nothing is made, since nobody would run it."""
        kinds = [*CONTROLLERS, *self._reconcilers]
        for item in sorted((item for item in items if item["kind"] in kinds), key=lambda one: kinds.index(one["kind"])):
            try:
                if item["kind"] in CONTROLLERS:
                    tell_stopped(key_of(item), self.store, datetime.now(UTC))
                else:
                    self._report(item, self._outcome(item))
            except Exception as error:
                self._failed(key_of(item), error)
