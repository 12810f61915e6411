"""Pods that do not end by themselves."""

import asyncio
import json
import time
from typing import Any

import psutil
import pytest
from swiftlet.local.engine import Engine
from swiftlet.local.store import Store


@pytest.mark.parametrize("hurried", [False, True])
def test_a_drain_ends_though_the_parent_of_a_pod_hangs(
    machine: Any, tools: Any, monkeypatch: pytest.MonkeyPatch, hurried: bool
) -> None:
    monkeypatch.setattr("swiftlet.local.kubelet.END_SECONDS", 60.0 if hurried else 0.2)
    pod = tools.pod_of("p", tools.shell("sleep 3600"), terminationGracePeriodSeconds=1)

    async def scenario(engine: Engine) -> psutil.Process:
        engine.store.apply(pod)
        await tools.phase(engine, "p", "Running")
        (record,) = machine.state.glob("pods/*/p/processes/main.json")
        runner, child = (psutil.Process(int(pid)) for pid in json.loads(record.read_text()))
        runner.suspend()
        if hurried:
            asyncio.get_running_loop().call_later(0.5, engine.kill)
        return child

    began = time.monotonic()
    child = machine.run(scenario)
    assert time.monotonic() - began < 15
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    (stored,) = Store(machine.state, read_only=True).list("Pod")
    assert (stored["status"]["phase"], tools.ended(stored)["reason"]) == ("Failed", "ContainerStatusUnknown")
