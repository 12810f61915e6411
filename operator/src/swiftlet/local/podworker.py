"""Runs one pod from its admission to its end."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swiftlet.local.container import ContainerRun, Surroundings
from swiftlet.local.environment import ContainerConfigError
from swiftlet.local.files import StorageError
from swiftlet.local.node import Node
from swiftlet.local.podstatus import TERMINAL, ContainerRecord, phase_of, pod_status, stamp
from swiftlet.local.process import LOST_CODE, Exit
from swiftlet.local.store import NotStoredError
from swiftlet.local.volumes import MountError, provide_volumes, release_shared_memory

RETRY_SECONDS = 1.0
STABLE_SECONDS = 600.0
"""A container that ran this long starts again without a pause. Source: kubelet, backoff reset."""


@dataclass
class Admission:
    """What the scheduler said: the pod's GPUs, or why it has to wait."""

    shortage: str | None = None
    env: dict[str, str] = field(default_factory=dict)


class PodWorker:
    """Executes a pod. `admit` asks for a place on the machine and is asked again until there is one."""

    def __init__(self, pod: dict[str, Any], node: Node, admit: Callable[[dict[str, Any]], Admission]) -> None:
        self._pod, self._node, self._admit = pod, node, admit
        self.placed = False
        """Whether the pod has its place on the machine."""
        spec = pod["spec"]
        self._policy = spec.get("restartPolicy", "Always")
        self._grace = float(spec.get("terminationGracePeriodSeconds", 30))
        self._init = [ContainerRecord(c["name"], c.get("image", "")) for c in spec.get("initContainers") or []]
        self._main = [ContainerRecord(c["name"], c.get("image", "")) for c in spec["containers"]]
        self._runs: set[ContainerRun] = set()
        self._shortage: str | None = None
        self._ending: dict[str, Any] | None = None
        self._stopping = asyncio.Event()
        self._stop_grace = self._grace
        self.done = False

    @property
    def pod(self) -> dict[str, Any]:
        """The pod as it was when it was taken up."""
        return self._pod

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self._pod["spec"]
        return spec

    @property
    def grace_seconds(self) -> float:
        """How long it may take to end."""
        return self._grace

    @property
    def stopped(self) -> bool:
        """Whether the pod was asked to end."""
        return self._stopping.is_set()

    def fail(self, message: str) -> None:
        """Mark the pod as failed by the engine itself."""
        self._ending, self.done = {"phase": "Failed", "reason": "EngineError", "message": message}, True
        self.publish()

    async def run(self) -> None:
        """Run the pod to its end; afterwards its status is terminal, unless it was stopped to be deleted."""
        admission = await self._wait_for_place()
        volumes = None if admission is None else await self._wait_for_volumes()
        if admission is not None and volumes is not None:
            at = Surroundings(self._pod, volumes, admission.env, self._grace)
            if await self._run_init(at):
                containers = zip(self._pod["spec"]["containers"], self._main, strict=True)
                await asyncio.gather(*(self._keep_running(c, record, at) for c, record in containers))
        if self._stopping.is_set():
            self._ending = self._how_it_ended()
        self.done = True
        self.publish()
        release_shared_memory(self._pod)

    def stop(self, grace_seconds: float | None = None, ending: dict[str, Any] | None = None) -> None:
        """End the pod: SIGTERM, and SIGKILL after the grace period (the pod's own by default).

        ending: what the status says of it (see `pod_status`), for a pod that stays in the store.
        """
        if ending is not None and not self._over():
            self._ending = ending
        self._stop_grace = self._grace if grace_seconds is None else grace_seconds
        self._stopping.set()
        for run in self._runs:
            run.stop(self._stop_grace)

    def abandon(self) -> None:
        """Tell the end of a pod that is not waited for any longer."""
        gone = {"exitCode": LOST_CODE, "reason": "ContainerStatusUnknown", "message": "it did not end after SIGKILL"}
        for record in (*self._init, *self._main):
            if "running" in record.state:
                since = record.state["running"]["startedAt"]
                record.state = {"terminated": {**gone, "startedAt": since, "finishedAt": stamp()}}
                record.started = record.ready = False
        self.done = True
        self.publish()

    def remove_files(self) -> None:
        """Delete what the pod left on this machine: logs, emptyDirs, roots. Links are not followed."""
        release_shared_memory(self._pod)
        shutil.rmtree(self._node.folder(self._pod), ignore_errors=True)

    def publish(self) -> None:
        """Write the status. When the disk is full it is written later; the pod goes on."""
        metadata = self._pod["metadata"]
        stored = self._node.store.get("Pod", metadata["namespace"], metadata["name"])
        if stored is None or stored["metadata"]["uid"] != metadata["uid"]:
            return
        # A pod that is being stopped says how it ended only when its processes are gone.
        ending = self._ending if self.done else None
        status = pod_status(stored.get("status") or {}, self._init, self._main, self._policy, self._shortage, ending)
        if self._ending is None and not self.done and status["phase"] in TERMINAL:
            status["phase"] = "Running"
        try:
            self._node.store.update_status("Pod", metadata["namespace"], metadata["name"], status)
        except NotStoredError:
            return
        except StorageError as error:
            self._node.trouble(str(error))
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.publish)

    def _how_it_ended(self) -> dict[str, Any] | None:
        """A stopped pod failed, unless it had done its work."""
        if self._policy != "Always" and phase_of(self._init, self._main, "Never") == "Succeeded":
            return None
        return self._ending or {"phase": "Failed"}

    def _over(self) -> bool:
        """Whether every container ended by itself."""
        return bool(self._main) and all(record.terminated for record in self._main)

    # Before the first container

    async def _wait_for_place(self) -> Admission | None:
        while not self._stopping.is_set():
            admission = self._admit(self._pod)
            self._shortage = admission.shortage
            self.publish()
            if admission.shortage is None:
                self.placed = True
                return admission
            self._node.event(self._pod, "Warning", "FailedScheduling", admission.shortage)
            await self._pause(RETRY_SECONDS)
        return None

    async def _wait_for_volumes(self) -> dict[str, Path] | None:
        while not self._stopping.is_set():
            try:
                return provide_volumes(self._node.volume_host(self._pod))
            except (MountError, OSError) as error:
                self._waiting([*self._init, *self._main], "CreateContainerConfigError", str(error))
                self._node.event(self._pod, "Warning", "FailedMount", str(error))
            await self._pause(RETRY_SECONDS)
        return None

    # Containers

    async def _run_init(self, at: Surroundings) -> bool:
        """Run init containers one after another; False when one of them ended the pod."""
        for container, record in zip(self._pod["spec"].get("initContainers") or [], self._init, strict=True):
            policy = "OnFailure" if self._policy != "Never" else "Never"
            ended = await self._keep_running(container, record, at, policy)
            if ended is None or ended.code != 0:
                return False
        return True

    async def _keep_running(
        self, container: dict[str, Any], record: ContainerRecord, at: Surroundings, policy: str | None = None
    ) -> Exit | None:
        """Run a container again and again as the restart policy says; returns its last end, None if it never ran."""
        policy = policy or self._policy
        first, longest = self._node.backoff_seconds
        ended, delay = None, first
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                ended = await self._run_once(container, record, at)
            except (ContainerConfigError, MountError, OSError) as error:
                await self._not_configured(record, error)
                continue
            if self._stopping.is_set() or policy == "Never" or (policy == "OnFailure" and ended.code == 0):
                break
            if time.monotonic() - began > STABLE_SECONDS:
                delay = first
            await self._back_off(record, delay)
            delay = min(2 * delay, longest)
        return ended

    async def _run_once(self, container: dict[str, Any], record: ContainerRecord, at: Surroundings) -> Exit:
        run = ContainerRun(container, at, self._node, record, self.publish)
        self._runs.add(run)
        try:
            return await run.run()
        finally:
            self._runs.discard(run)

    async def _not_configured(self, record: ContainerRecord, error: Exception) -> None:
        self._waiting([record], "CreateContainerConfigError", str(error))
        self._node.event(self._pod, "Warning", "Failed", f"container {record.name}: {error}")
        await self._pause(RETRY_SECONDS)

    async def _back_off(self, record: ContainerRecord, seconds: float) -> None:
        why = (record.terminated or {}).get("message", "").strip()
        reason = (record.terminated or {}).get("reason", "")
        detail = f": {reason}: {why}" if reason == "PortInUse" else ""
        record.last_state, record.restarts = record.state, record.restarts + 1
        message = f"back-off {seconds:g}s restarting failed container {record.name}{detail}"
        self._waiting([record], "CrashLoopBackOff", message)
        self._node.event(self._pod, "Warning", "BackOff", f"back-off restarting failed container {record.name}{detail}")
        await self._pause(seconds)

    def _waiting(self, records: list[ContainerRecord], reason: str, message: str) -> None:
        for record in records:
            if not record.terminated or record.terminated["exitCode"] != 0 or reason == "CrashLoopBackOff":
                record.state = {"waiting": {"reason": reason, "message": message}}
        self.publish()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
