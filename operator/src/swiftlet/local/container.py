"""One run of one container: start, probes, stop, and what it left behind."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftlet.api.v1alpha1.compute import parse_quantity
from swiftlet.local.ending import end_tasks
from swiftlet.local.environment import command_line, container_env, image_env, on_loopback
from swiftlet.local.leftovers import record_process
from swiftlet.local.logs import log_path, tail
from swiftlet.local.memory import oom_kills, used_bytes
from swiftlet.local.node import Node
from swiftlet.local.podstatus import ContainerRecord, stamp
from swiftlet.local.ports import port_conflict
from swiftlet.local.probes import PROBES, Tally, check, counted
from swiftlet.local.process import START_ERROR_CODE, ContainerProcess, Exit, ProcessSpec
from swiftlet.local.volumes import mount, termination_log
from swiftlet.wire.messages import TERMINATION_LIMIT

FALLBACK_LINES, FALLBACK_BYTES = 80, 2048
"""How much of a log stands in for a termination message. Source: Kubernetes, FallbackToLogsOnError."""
MEMORY_CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class Surroundings:
    """What a container gets from its pod."""

    pod: dict[str, Any]
    volumes: dict[str, Path]
    extra_env: dict[str, str]
    """Variables that the machine sets, unless the object sets them."""
    grace_seconds: float


class ContainerRun:
    """Runs a container once. `changed` is called whenever `record` has changed."""

    def __init__(
        self,
        container: dict[str, Any],
        surroundings: Surroundings,
        node: Node,
        record: ContainerRecord,
        changed: Callable[[], None],
    ) -> None:
        self._container, self._at, self._node = container, surroundings, node
        self._record, self._changed = record, changed
        self._root = node.root(surroundings.pod, container["name"])
        self._process: ContainerProcess | None = None
        self._out_of_memory = False
        self._stopping: asyncio.Task[None] | None = None
        self._stop_grace: float | None = None

    async def run(self) -> Exit:
        """Start, watch, and wait for the end, which is then in the record as `state.terminated`.

        Raises ContainerConfigError or MountError when it cannot be started as it is written.
        """
        spec = self._spec()
        conflict = self._port_conflict()
        if conflict:
            self._terminated(Exit(START_ERROR_CODE, None, "PortInUse", conflict), stamp())
            return Exit(START_ERROR_CODE, None, "PortInUse", conflict)
        kills_before, began = oom_kills(), stamp()
        self._process = await ContainerProcess.start(spec)
        if self._process.pid is not None:
            record_process(self._node.folder(self._at.pod), self._container["name"], self._process)
        self._running(began)
        if self._stop_grace is not None:
            self.stop(self._stop_grace)
        watchers = [asyncio.create_task(watcher) for watcher in self._watchers()]
        try:
            ended = await self._process.wait()
        finally:
            await end_tasks(watchers)
        if ended.signal == 9 and oom_kills() > kills_before and self._stopping is None:
            self._out_of_memory = True
        self._terminated(ended, began)
        return ended

    def stop(self, grace_seconds: float) -> None:
        """SIGTERM now, SIGKILL after the grace period. A shorter period than before takes its place."""
        self._stop_grace = grace_seconds
        if self._process is not None:
            if self._stopping is not None:
                self._stopping.cancel()
            self._stopping = asyncio.create_task(self._stop(self._process, grace_seconds))

    async def _stop(self, process: ContainerProcess, grace_seconds: float) -> None:
        if grace_seconds > 0:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await process.wait()
        process.kill()

    def _spec(self) -> ProcessSpec:
        pod, container = self._at.pod, self._container
        namespace = pod["metadata"]["namespace"]
        mount(container, self._root, self._at.volumes)
        engine = image_env(self._node.environ, self._root)
        base = {**engine, **self._at.extra_env} | {"HOSTNAME": pod["spec"].get("hostname") or pod["metadata"]["name"]}
        env = container_env(container, pod, lambda kind, name: self._node.store.get(kind, namespace, name), base)
        services = {service["metadata"]["name"]: namespace for service in self._node.store.list("Service", namespace)}
        env = {
            name: value if name in base and base[name] == value else on_loopback(value, services, name)
            for name, value in env.items()
        }
        argv = [on_loopback(word, services) for word in command_line(container, env)]
        cwd = self._root / (container.get("workingDir") or "/").lstrip("/")
        cwd.mkdir(parents=True, exist_ok=True)
        log = log_path(self._node.state, namespace, pod["metadata"]["name"], container["name"], self._record.restarts)
        return ProcessSpec(argv, env, cwd, log)

    def _port_conflict(self) -> str | None:
        """A port that somebody else has, as a host port in a cluster. Pods of one Job may share theirs: they are one
        program, and only one of them listens."""
        owners = self._at.pod["metadata"].get("ownerReferences") or []
        if any(owner["kind"] == "Job" for owner in owners):
            return None
        found = [port_conflict(port["containerPort"]) for port in self._container.get("ports") or []]
        return "; ".join(conflict for conflict in found if conflict) or None

    def _running(self, began: str) -> None:
        probes = {name for name in PROBES if self._container.get(name)}
        self._record.state = {"running": {"startedAt": began}}
        self._record.started = "startupProbe" not in probes
        self._record.ready = self._record.started and "readinessProbe" not in probes
        self._changed()

    def _terminated(self, ended: Exit, began: str) -> None:
        reason = ended.reason or ("Completed" if ended.code == 0 else "Error")
        state: dict[str, Any] = {
            "exitCode": ended.code,
            "reason": "OOMKilled" if self._out_of_memory else reason,
            "startedAt": began,
            "finishedAt": stamp(),
        }
        message = ended.message or self._last_words(ended)
        if message:
            state["message"] = message
        if ended.signal:
            state["signal"] = ended.signal
        self._record.state = {"terminated": state}
        self._record.started = self._record.ready = False
        self._changed()

    def _last_words(self, ended: Exit) -> str:
        with contextlib.suppress(OSError):
            left = termination_log(self._container, self._root).read_bytes()[:TERMINATION_LIMIT]
            if left:
                return left.decode(errors="replace")
        fallback = self._container.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        if ended.code == 0 or not fallback:
            return ""
        metadata = self._at.pod["metadata"]
        path = log_path(
            self._node.state, metadata["namespace"], metadata["name"], self._container["name"], self._record.restarts
        )
        with contextlib.suppress(OSError):
            return tail(path, FALLBACK_LINES, FALLBACK_BYTES)
        return ""

    # Watching

    def _watchers(self) -> list[Any]:
        watchers = [self._probe_all()] if any(self._container.get(name) for name in PROBES) else []
        limit = ((self._container.get("resources") or {}).get("limits") or {}).get("memory")
        return [*watchers, self._hold_memory(parse_quantity(str(limit)))] if limit else watchers

    async def _hold_memory(self, limit: float) -> None:
        """Kill the container when it uses more memory than its limit, as a cgroup would."""
        while self._lives:
            await asyncio.sleep(MEMORY_CHECK_SECONDS)
            process = self._process
            if process and await asyncio.to_thread(used_bytes, process.runner_pid) > limit:
                self._out_of_memory = True
                process.kill()
                return

    @property
    def _lives(self) -> bool:
        """Whether there is still something to watch."""
        return self._process is not None and not self._process.ended

    async def _probe_all(self) -> None:
        startup = self._container.get("startupProbe")
        if startup and not await self._probe_startup(startup):
            return
        if not self._record.started:
            self._record.started = True
            self._record.ready = not self._container.get("readinessProbe")
            self._changed()
        rest = [(name, self._container[name]) for name in PROBES[1:] if self._container.get(name)]
        await asyncio.gather(*(self._probe_on(name, probe) for name, probe in rest))

    async def _probe_startup(self, probe: dict[str, Any]) -> bool:
        tally = Tally()
        await asyncio.sleep(probe.get("initialDelaySeconds", 0))
        while tally.ok is None and self._lives:
            tally = await self._probe_once("startupProbe", probe, tally)
            if tally.ok is None:
                await asyncio.sleep(probe.get("periodSeconds", 10))
        return bool(tally.ok)

    async def _probe_on(self, name: str, probe: dict[str, Any]) -> None:
        tally = Tally()
        await asyncio.sleep(probe.get("initialDelaySeconds", 0))
        while self._lives:
            tally = await self._probe_once(name, probe, tally)
            if name == "readinessProbe" and self._record.ready != bool(tally.ok):
                self._record.ready = bool(tally.ok)
                self._changed()
            if name == "livenessProbe" and tally.ok is False:
                return
            await asyncio.sleep(probe.get("periodSeconds", 10))

    async def _probe_once(self, name: str, probe: dict[str, Any], tally: Tally) -> Tally:
        """One check, told as an event when it fails; a failed liveness or startup probe stops the container."""
        wrong = await check(probe, self._container, self._execute)
        tally = counted(tally, wrong is None, probe)
        words = name.removesuffix("Probe").capitalize()
        about = f"container {self._container['name']}"
        if wrong and (tally.ok is not None or name != "startupProbe"):
            self._node.event(self._at.pod, "Warning", "Unhealthy", f"{words} probe of {about} failed: {wrong}")
        if tally.ok is False and name != "readinessProbe":
            self._node.event(self._at.pod, "Normal", "Killing", f"{about} failed its {words.lower()} probe")
            self.stop(probe.get("terminationGracePeriodSeconds", self._at.grace_seconds))
        return tally

    async def _execute(self, command: list[str], seconds: float) -> int | None:
        """Run a probe's command as the container would see it."""
        env = {**image_env(self._node.environ, self._root)}
        argv = command_line({"command": command}, env)
        process: ContainerProcess | None = None
        try:
            async with asyncio.timeout(seconds):
                process = await ContainerProcess.start(ProcessSpec(argv, env, self._root, None))
                return (await process.wait()).code
        except TimeoutError:
            return None
        finally:
            if process is not None:
                process.kill()
