"""Engines that run real processes, without the project's own kinds."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from swiftlet.local.engine import Engine
from swiftlet.local.logs import log_lines, pod_log_files

Scenario = Callable[[Engine], Awaitable[Any]]


def pod_of(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A Pod that is never restarted, unless `spec` says otherwise."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 5, "containers": list(containers), **spec},
    }


def python(code: str, name: str = "main", **fields: Any) -> dict[str, Any]:
    """A container that runs Python code."""
    return {"name": name, "command": ["python", "-c", code], **fields}


def shell(script: str, name: str = "main", **fields: Any) -> dict[str, Any]:
    """A container that runs a shell script."""
    return {"name": name, "command": ["sh", "-c", script], **fields}


@dataclass
class Machine:
    """A state folder, and engines on it one after another."""

    state: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, scenario: Scenario, seconds: float = 180) -> Any:
        """Run a scenario in an engine that is drained afterwards; its result."""

        async def work() -> Any:
            async with Engine(self.state, self.environ, reconcilers={}, backoff_seconds=(0.1, 0.4)) as engine:
                return await asyncio.wait_for(scenario(engine), seconds)

        return asyncio.run(work())

    def run_pod(self, pod: dict[str, Any], *objects: dict[str, Any]) -> dict[str, Any]:
        """Run a pod to its end; its last state."""

        async def scenario(engine: Engine) -> dict[str, Any]:
            for document in (*objects, pod):
                engine.store.apply(document)
            return await phase(engine, pod["metadata"]["name"], "Succeeded", "Failed")

        found: dict[str, Any] = self.run(scenario)
        return found

    def output(self, pod: str, container: str = "main", restart: int = 0) -> str:
        """What one run of a container printed."""
        for log in pod_log_files(self.state, "default", pod):
            if (log.container, log.restart) == (container, restart):
                with log.path.open() as records:
                    return "".join(line.text for line in log_lines(records))
        raise AssertionError(f"no log of {pod}/{container}/{restart}")


async def eventually(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until `condition()` is true; its value."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            raise AssertionError("it did not come true")
        await asyncio.sleep(0.02)
    return found


async def phase(engine: Engine, name: str, *wanted: str) -> dict[str, Any]:
    """Wait until a pod has one of the phases; the pod."""

    def reached() -> dict[str, Any] | None:
        pod = engine.store.get("Pod", "default", name)
        return pod if pod and (pod.get("status") or {}).get("phase") in wanted else None

    found: dict[str, Any] = await eventually(reached)
    return found


def container(pod: dict[str, Any], name: str = "main") -> dict[str, Any]:
    """The status of one container of a pod."""
    statuses = [*pod["status"].get("initContainerStatuses", []), *pod["status"]["containerStatuses"]]
    return next(status for status in statuses if status["name"] == name)


def ended(pod: dict[str, Any], name: str = "main") -> dict[str, Any]:
    """How a container ended."""
    found: dict[str, Any] = container(pod, name)["state"]["terminated"]
    return found


class Tools:
    """What the tests build pods from and look at them with."""

    pod_of = staticmethod(pod_of)
    python = staticmethod(python)
    shell = staticmethod(shell)
    eventually = staticmethod(eventually)
    phase = staticmethod(phase)
    container = staticmethod(container)
    ended = staticmethod(ended)


@pytest.fixture
def tools() -> Tools:
    return Tools()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "state", {"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
