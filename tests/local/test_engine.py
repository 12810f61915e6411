"""The engine as a whole: kill -9, drain, lock, resuming, progress, immutable fields."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from swiftlet.api.schema.problems import InvalidDocuments, Source
from swiftlet.documents.document import Document
from swiftlet.kinds import OWNER_LABEL
from swiftlet.kinds.frame.outcome import Event, Outcome
from swiftlet.local.engine import Engine
from swiftlet.local.lock import StateLockedError
from swiftlet.local.notices import ProgressNotice, Trouble
from swiftlet.local.store import Store

ENGINE = """
import asyncio, json, os, sys
from pathlib import Path
from swiftlet.local.engine import Engine

async def main():
    async with Engine(Path(sys.argv[1]), dict(os.environ), reconcilers={}) as engine:
        for line in Path(sys.argv[2]).read_text().splitlines():
            engine.store.apply(json.loads(line))
        await engine.run(lambda: False)

asyncio.run(main())
"""


def start_engine(state: Path, *documents: dict[str, Any]) -> subprocess.Popen[bytes]:
    state.mkdir(parents=True, exist_ok=True)
    given = state / "given.jsonl"
    given.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return subprocess.Popen([sys.executable, "-c", ENGINE, str(state), str(given)])


def wait_for(condition: Any, seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.02)
    return found


def the_pod(state: Path) -> dict[str, Any] | None:
    pods = Store(state, read_only=True).list("Pod")
    return pods[0] if pods and pods[0].get("status", {}).get("phase") == "Running" else None


def job(script: str) -> dict[str, Any]:
    container = {
        "name": "main",
        "command": ["sh", "-c", script],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    }
    template = {
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 10,
            "containers": [container],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "v"}}],
        }
    }
    policy = {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}
    spec = {"backoffLimit": 0, "completions": 1, "podFailurePolicy": policy, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec}


# `$$$$` is the shell's `$$`: Kubernetes reads `$$` in a command as an escaped dollar sign.
RESUMES = """
cd $SWIFTLET_ROOT/v
echo start >> runs
echo $$$$ >> pids
setsid sh -c 'echo $$$$ >> pids; sleep 3600' &
test $(wc -l < runs) = 2 && exit 0
sleep 3600
"""


def pids(state: Path) -> list[int]:
    path = state / "volumes/v/pids"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def test_kill_9_leaves_no_orphans_and_the_next_engine_goes_on(machine: Any, tools: Any) -> None:
    engine = start_engine(machine.state, job(RESUMES))
    try:
        wait_for(lambda: the_pod(machine.state) and len(pids(machine.state)) == 2)
    finally:
        os.kill(engine.pid, signal.SIGKILL)
        engine.wait()
    wait_for(lambda: not any(psutil.pid_exists(pid) for pid in pids(machine.state)), seconds=5)
    first = Store(machine.state, read_only=True).list("Pod")[0]["metadata"]["name"]

    async def scenario(engine: Engine) -> None:
        lost = engine.store.get("Pod", "default", first)
        assert lost is not None and lost["status"]["phase"] == "Failed"
        assert lost["status"]["reason"] == "EngineRestarted"
        assert tools.ended(lost)["reason"] == "ContainerStatusUnknown" and tools.ended(lost)["exitCode"] == 137
        disrupted = [c for c in lost["status"]["conditions"] if c["type"] == "DisruptionTarget"]
        assert disrupted[0]["status"] == "True"
        await tools.eventually(lambda: engine.store.get("Job", "default", "j")["status"].get("succeeded") == 1)

    machine.run(scenario)
    assert (machine.state / "volumes/v/runs").read_text() == "start\nstart\n"


def test_leftovers_of_a_runner_that_was_killed_too_are_ended(machine: Any) -> None:
    engine = start_engine(machine.state, job("echo $$$$ >> $SWIFTLET_ROOT/v/pids; sleep 3600"))
    try:
        wait_for(lambda: the_pod(machine.state) and pids(machine.state))
        (record,) = machine.state.glob("pods/*/*/processes/main.json")
        runner, main = sorted(int(pid) for pid in json.loads(record.read_text()))
    finally:
        os.kill(engine.pid, signal.SIGSTOP)
    child = psutil.Process(main).children()[0]
    for pid in (engine.pid, runner):
        os.kill(pid, signal.SIGKILL)
    engine.wait()
    assert child.is_running(), "its parents died without taking it along"

    async def nothing(engine: Engine) -> None:
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE

    machine.run(nothing)


def test_a_drain_ends_pods_gently_as_disrupted(machine: Any) -> None:
    script = (
        "trap 'echo saved > $SWIFTLET_ROOT/v/saved; exit 143' TERM; echo x > $SWIFTLET_ROOT/v/up; sleep 3600 & wait"
    )

    async def scenario(engine: Engine) -> None:
        engine.store.apply(job(script))
        while not (machine.state / "volumes/v/up").exists():
            await asyncio.sleep(0.02)

    machine.run(scenario)
    assert (machine.state / "volumes/v/saved").read_text() == "saved\n"
    (pod,) = Store(machine.state, read_only=True).list("Pod")
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 143
    disrupted = [c["reason"] for c in pod["status"]["conditions"] if c["type"] == "DisruptionTarget"]
    assert disrupted == ["TerminationByKubelet"] and pod["status"]["phase"] == "Failed"
    (left,) = Store(machine.state, read_only=True).list("Job")
    assert "Failed" not in json.dumps(left)
    assert (left["status"]["active"], left["status"]["ready"]) == (0, 0)


def test_a_deployment_of_a_drained_engine_has_no_replicas_and_its_owner_is_told(machine: Any, tools: Any) -> None:
    def reconcile(item: dict[str, Any], reader: Any, now: Any, capabilities: Any) -> Outcome:
        labels = {"app": "d", OWNER_LABEL: item["metadata"]["uid"]}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [tools.shell("sleep 3600")]}}
        manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "labels": labels}}
        spec = {"replicas": 1, "selector": {"matchLabels": {"app": "d"}}, "template": template}
        child = reader.get("Deployment", "default", "d") or {}
        return Outcome([{**manifest, "spec": spec}], [], {"ready": child.get("status", {}).get("readyReplicas")})

    def ready(engine: Engine) -> Any:
        return (engine.store.get("FineTuneJob", "default", "bird") or {}).get("status", {}).get("ready")

    async def work() -> None:
        async with Engine(machine.state, machine.environ, reconcilers={"FineTuneJob": reconcile}) as engine:
            engine.apply([document(resource(), machine.state)])
            await asyncio.wait_for(engine.run(lambda: ready(engine) == 1), 60)

    asyncio.run(work())
    store = Store(machine.state, read_only=True)
    (left,) = store.list("Deployment")
    assert left["status"]["availableReplicas"] == 0
    assert [c["status"] for c in left["status"]["conditions"] if c["type"] == "Available"] == ["False"]
    assert store.list("FineTuneJob")[0]["status"] == {"ready": 0}
    (pod,) = store.list("Pod")
    assert pod["status"]["phase"] == "Failed", "none was started in its place"


def test_work_that_was_done_when_the_drain_came_is_done(machine: Any) -> None:
    script = "trap 'exit 0' TERM; echo x > $SWIFTLET_ROOT/v/up; sleep 3600 & wait"

    async def scenario(engine: Engine) -> None:
        engine.store.apply(job(script))
        while not (machine.state / "volumes/v/up").exists():
            await asyncio.sleep(0.02)

    machine.run(scenario)
    (pod,) = Store(machine.state, read_only=True).list("Pod")
    assert pod["status"]["phase"] == "Succeeded"
    (left,) = Store(machine.state, read_only=True).list("Job")
    assert [c["type"] for c in left["status"]["conditions"]] == ["SuccessCriteriaMet", "Complete"]


def test_a_second_engine_is_refused(machine: Any) -> None:
    async def scenario(engine: Engine) -> None:
        with pytest.raises(StateLockedError, match=str(os.getpid())):
            await Engine(machine.state, machine.environ, reconcilers={}).__aenter__()

    machine.run(scenario)


def resource(**spec: Any) -> dict[str, Any]:
    model = {"uri": "hf://org/name"}
    datasets = [{"uri": "configmap://data/rows.jsonl"}]
    return {
        "apiVersion": "swiftlet.dev/v1alpha1",
        "kind": "FineTuneJob",
        "metadata": {"name": "bird"},
        "spec": {"model": model, "datasets": datasets, **spec},
    }


def document(item: dict[str, Any], folder: Path) -> Document:
    return Document(item, Source("bird.yaml"), folder)


def test_reconcilers_see_progress_and_their_outcome_is_applied(machine: Any, tools: Any, tmp_path: Path) -> None:
    def reconcile(item: dict[str, Any], reader: Any, now: Any, capabilities: Any) -> Outcome:
        uid = item["metadata"]["uid"]
        event = '{"time": "2026-01-31T12:00:00Z", "type": "progress", "step": 3, "loss": "1.5"}'
        container = tools.shell(
            f"echo '{event}' >> $SWIFTLET_ROOT/run/p.jsonl; sleep 3600",
            env=[{"name": "SWIFTLET_PROGRESS_FILE", "value": "/run/p.jsonl"}],
            volumeMounts=[{"name": "run", "mountPath": "/run"}],
        )
        pod = tools.pod_of("p", container, volumes=[{"name": "run", "emptyDir": {}}])
        pod["metadata"]["labels"] = {OWNER_LABEL: uid}
        owner = {"apiVersion": item["apiVersion"], "kind": item["kind"], "name": "bird", "uid": uid, "controller": True}
        pod["metadata"]["ownerReferences"] = [owner]
        progress = reader.progress(uid)
        children = [child["kind"] for child in reader.children("default", uid)]
        status = {"step": (progress or {}).get("step"), "children": children, "local": capabilities.host_paths}
        return Outcome([pod], [], status, [Event("Normal", "Seen", "words")], None)

    async def work() -> list[Any]:
        notices: list[Any] = []
        async with Engine(machine.state, machine.environ, reconcilers={"FineTuneJob": reconcile}) as engine:
            engine.subscribe(notices.append)
            engine.apply([document(resource(), tmp_path)])

            def done() -> bool:
                found = engine.store.get("FineTuneJob", "default", "bird")
                return bool(found) and found.get("status", {}).get("step") == 3

            await asyncio.wait_for(engine.run(done), 60)
            found = engine.store.get("FineTuneJob", "default", "bird")
            assert found is not None and found["status"] == {"step": 3, "children": ["Pod"], "local": True}
            assert found["spec"]["training"], "defaults are stored"
            assert engine.progress(found["metadata"]["uid"])["loss"] == "1.5"  # type: ignore[index]
            assert [e["reason"] for e in engine.store.events("FineTuneJob", "default", "bird")] == ["Seen"]
        return notices

    notices = asyncio.run(work())
    assert any(isinstance(notice, ProgressNotice) and notice.progress["step"] == 3 for notice in notices)


def test_progress_is_read_again_after_a_restart(machine: Any, tools: Any) -> None:
    event = '{"time": "2026-01-31T12:00:00Z", "type": "progress", "step": 7}'
    container = tools.shell(
        f"echo '{event}' >> $SWIFTLET_ROOT/run/p.jsonl; echo '{{\"half' >> $SWIFTLET_ROOT/run/p.jsonl",
        env=[{"name": "SWIFTLET_PROGRESS_FILE", "value": "/run/p.jsonl"}],
        volumeMounts=[{"name": "run", "mountPath": "/run"}],
    )
    pod = tools.pod_of("p", container, volumes=[{"name": "run", "emptyDir": {}}])
    pod["metadata"]["labels"] = {OWNER_LABEL: "some-uid"}
    machine.run_pod(pod)

    async def look(engine: Engine) -> Any:
        return engine.progress("some-uid")

    assert machine.run(look)["step"] == 7


def test_an_immutable_field_is_refused_and_nothing_is_stored(machine: Any, tmp_path: Path) -> None:
    async def scenario(engine: Engine) -> None:
        engine.apply([document(resource(), tmp_path)])
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}, "data": {}}
        changed = resource(model={"uri": "hf://org/other"})
        with pytest.raises(InvalidDocuments) as refused:
            engine.apply([document(config, tmp_path), document(changed, tmp_path)])
        assert "spec.model.uri" in str(refused.value) and "immutable" in str(refused.value)
        assert engine.store.get("ConfigMap", None, "new") is None

    machine.run(scenario)


def test_a_reconciler_that_raises_is_told_and_tried_again(machine: Any, tmp_path: Path) -> None:
    calls: list[int] = []

    def broken(item: dict[str, Any], reader: Any, now: Any, capabilities: Any) -> Outcome:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("no such thing")
        return Outcome([], [], {"done": True})

    async def work() -> list[Any]:
        notices: list[Any] = []
        async with Engine(machine.state, machine.environ, reconcilers={"FineTuneJob": broken}) as engine:
            engine.subscribe(notices.append)
            engine.apply([document(resource(), tmp_path)])

            def done() -> bool:
                return bool((engine.store.get("FineTuneJob", None, "bird") or {}).get("status"))

            await asyncio.wait_for(engine.run(done), 60)
            assert [e["reason"] for e in engine.store.events("FineTuneJob", None, "bird")] == ["ReconcileError"]
        return notices

    troubles = [notice.message for notice in asyncio.run(work()) if isinstance(notice, Trouble)]
    assert troubles == ["FineTuneJob default/bird: ValueError: no such thing"]
