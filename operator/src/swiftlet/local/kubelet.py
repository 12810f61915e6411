"""Runs the pods of the store on this machine."""

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Callable
from typing import Any

from swiftlet.local.ending import end_tasks
from swiftlet.local.leftovers import end_leftovers
from swiftlet.local.lostpods import RESTARTED, lost_status
from swiftlet.local.node import Node
from swiftlet.local.podstatus import TERMINAL
from swiftlet.local.podworker import Admission, PodWorker
from swiftlet.local.scheduling import GPU, IGNORED_FIELDS, requests_of, shortage
from swiftlet.local.store import Change
from swiftlet.local.threads import thread_share
from swiftlet.local.volumes import release_shared_memory

DRAINED = {
    "phase": "Failed",
    "reason": "Terminated",
    "message": "the engine was asked to stop; the pod was terminated and its work goes on when the engine runs again",
    "disruption": "TerminationByKubelet",
}
"""The end of a pod at a graceful shutdown. Source: kubelet, graceful node shutdown."""
END_SECONDS = 5.0
"""What a pod may take after its grace period: SIGKILL, and the rest of its output."""
KILL_SECONDS = 0.5
"""What a pod may take to end that was killed because nobody wants to wait."""


class Kubelet:
    """One worker for each pod. Everything happens in the event loop that `start` was called in."""

    def __init__(self, node: Node, in_scope: Callable[[dict[str, Any]], bool]) -> None:
        """in_scope: whether a pod that is stored is to run."""
        self._node, self._in_scope = node, in_scope
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._gpus: dict[str, list[str]] = {}
        self._hurry = asyncio.Event()
        self._unwatch: Callable[[], None] | None = None

    def start(self) -> None:
        """Take up the pods that are stored: those that ran before are failed, since their processes are gone."""
        self._unwatch = self._node.store.watch(self._seen)
        for pod in self._node.store.list("Pod"):
            if (pod.get("status") or {}).get("phase") not in TERMINAL and _has_run(pod):
                self._fail_lost(pod)
            elif "deletionTimestamp" in pod["metadata"]:
                self._finish(pod)
            elif (pod.get("status") or {}).get("phase") not in TERMINAL and self._in_scope(pod):
                self._begin(pod)

    @property
    def grace_seconds(self) -> float:
        """How long the pods of now may take to end."""
        return max((worker.grace_seconds for worker in self._workers.values()), default=0.0)

    async def drain(self, grace_seconds: float | None = None) -> None:
        """Stop every pod and wait until its processes are gone. grace_seconds: instead of each pod's own.

        Whatever a pod waits for, this ends: in time after the longest grace period, and at once after `kill`.
        """
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        for worker in self._workers.values():
            worker.stop(grace_seconds, DRAINED)
        longest = self.grace_seconds if grace_seconds is None else grace_seconds
        if not await self._all_ended(longest + END_SECONDS):
            self.kill()
            if not await self._all_ended(KILL_SECONDS):
                await self._abandon()

    def kill(self) -> None:
        """SIGKILL to all processes, for a drain that was asked to hurry."""
        self._hurry.set()
        for worker in self._workers.values():
            worker.stop(0, DRAINED)

    async def _all_ended(self, seconds: float) -> bool:
        """Wait for the pods; False when the time is over, or `kill` was called meanwhile."""
        if not self._tasks:
            return True
        hurried = self._hurry.is_set()
        ending = asyncio.ensure_future(asyncio.wait(list(self._tasks.values())))
        hurry = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait([ending] if hurried else [ending, hurry], timeout=seconds, return_when=FIRST_COMPLETED)
        ended = ending.done()
        await end_tasks([ending, hurry])
        return ended

    async def _abandon(self) -> None:
        """Wait no longer for pods that do not end: what is recorded of their processes is killed from here."""
        left = dict(self._workers)
        await asyncio.to_thread(end_leftovers, self._node.state, 0.0)
        for worker in left.values():
            self._node.trouble(f"pod {worker.pod['metadata']['name']} did not end after SIGKILL, and is left behind")
            worker.abandon()
        await end_tasks(list(self._tasks.values()), KILL_SECONDS / 2)

    # Watching

    def _seen(self, change: Change) -> None:
        pod = change.object
        if pod["kind"] != "Pod":
            return
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if change.type == "ADDED":
            self._begin(pod)
        elif change.type == "DELETED" and worker:
            worker.stop(0)
        elif "deletionTimestamp" in pod["metadata"] and worker:
            if not worker.stopped:
                worker.stop(pod["metadata"].get("deletionGracePeriodSeconds"))
        elif "deletionTimestamp" in pod["metadata"]:
            # Not now: the store is telling its watchers about this very change.
            asyncio.get_running_loop().call_soon(self._finish, pod)

    def _begin(self, pod: dict[str, Any]) -> None:
        uid = pod["metadata"]["uid"]
        ignored = [name for name in IGNORED_FIELDS if pod["spec"].get(name)]
        if ignored:
            message = f"{', '.join(ignored)} choose between the nodes of a cluster; here is one machine"
            self._node.event(pod, "Normal", "SchedulingIgnored", message)
        worker = PodWorker(pod, self._node, self._admit)
        self._workers[uid] = worker
        task = asyncio.create_task(worker.run(), name=f"pod {pod['metadata']['name']}")
        self._tasks[uid] = task
        task.add_done_callback(lambda done: self._ended(pod, worker, done))

    def _ended(self, pod: dict[str, Any], worker: PodWorker, task: asyncio.Task[None]) -> None:
        metadata = pod["metadata"]
        uid = metadata["uid"]
        del self._workers[uid], self._tasks[uid]
        self._gpus.pop(uid, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._node.trouble(f"pod {metadata['name']}: {error!r}")
            worker.fail(f"the engine could not run the pod: {error!r}")
        stored = self._node.store.get("Pod", metadata["namespace"], metadata["name"])
        replaced = stored is not None and stored["metadata"]["uid"] != metadata["uid"]
        if stored is None and not replaced:
            worker.remove_files()
        elif stored is not None and not replaced and "deletionTimestamp" in stored["metadata"]:
            self._finish(stored)

    def _finish(self, pod: dict[str, Any]) -> None:
        """Forget a pod that was to be deleted and whose processes are gone."""
        PodWorker(pod, self._node, self._admit).remove_files()
        self._node.store.remove("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"])

    # Placing

    def _admit(self, pod: dict[str, Any]) -> Admission:
        uid, spec = pod["metadata"]["uid"], pod["spec"]
        others = [worker.spec for other, worker in self._workers.items() if other != uid and worker.placed]
        short = shortage(spec, others, self._node.machine)
        if short:
            return Admission(short)
        env = {}
        gpus = int(requests_of(spec).get(GPU, 0))
        if gpus:
            taken = {name for other, names in self._gpus.items() if other != uid for name in names}
            self._gpus[uid] = [name for name in self._node.machine.gpus if name not in taken][:gpus]
            env["CUDA_VISIBLE_DEVICES"] = ",".join(self._gpus[uid])
        threads = thread_share(self._jobs_at_work(pod), int(self._node.machine.capacity["cpu"]))
        if threads and "OMP_NUM_THREADS" not in self._node.environ:
            env["OMP_NUM_THREADS"] = str(threads)
        return Admission(env=env)

    def _jobs_at_work(self, pod: dict[str, Any]) -> list[dict[str, Any]]:
        """The Jobs whose pods run now, that of `pod` included; empty when `pod` belongs to none."""
        owners = {
            (owner["kind"], other["metadata"]["namespace"], owner["name"])
            for other in [pod, *(worker.pod for worker in self._workers.values())]
            for owner in other["metadata"].get("ownerReferences") or []
            if owner["kind"] == "Job"
        }
        mine = any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences") or [])
        found = [self._node.store.get(*key) for key in sorted(owners)] if mine else []
        return [job for job in found if job is not None]

    # After a restart of the engine

    def _fail_lost(self, pod: dict[str, Any]) -> None:
        metadata = pod["metadata"]
        if "deletionTimestamp" in metadata:
            self._finish(pod)
            return
        release_shared_memory(pod)
        self._node.store.update_status("Pod", metadata["namespace"], metadata["name"], lost_status(pod))
        self._node.event(pod, "Warning", RESTARTED["reason"], RESTARTED["message"])


def _has_run(pod: dict[str, Any]) -> bool:
    """Whether a container of the pod was ever started."""
    status = pod.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return any("running" in c["state"] or "terminated" in c["state"] or c["restartCount"] > 0 for c in containers)
