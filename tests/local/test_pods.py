"""Pods as real processes: environment, volumes, order, ends, restarts, probes."""

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest


def conditions(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in pod["status"]["conditions"]}


def test_environment_volumes_and_log(machine: Any, tools: Any) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"job.json": "{}"}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": "hidden"}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "gang"}, "spec": {"clusterIP": "None"}}
    code = """
import os, sys
root = os.environ["SWIFTLET_ROOT"]
print(open(root + "/swiftlet/job/job.json").read(), os.environ["KEY"], os.environ["NAME"], os.environ["ADDR"])
open(root + "/swiftlet/artifacts/out.txt", "w").write("kept")
print(os.path.realpath(root + "/dev/shm").startswith("/dev/shm/"), sys.argv[1])
print("leaked" if "SECRET_OF_SHELL" in os.environ else "clean", os.getcwd() == os.path.realpath(root))
"""
    env = [
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "key"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "ADDR", "value": "p-0.gang.default.svc"},
    ]
    mounts = [
        {"name": "job", "mountPath": "/swiftlet/job"},
        {"name": "artifacts", "mountPath": "/swiftlet/artifacts"},
        {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108
    ]
    volumes = [
        {"name": "job", "configMap": {"name": "c"}},
        {"name": "artifacts", "persistentVolumeClaim": {"claimName": "artifacts"}},
        {"name": "shm", "emptyDir": {"medium": "Memory"}},
    ]
    machine.environ["SECRET_OF_SHELL"] = "x"
    main = tools.python(code, env=env, volumeMounts=mounts, args=["$(NAME)!"])
    pod = machine.run_pod(tools.pod_of("p", main, volumes=volumes), config, secret, service)
    assert tools.ended(pod)["exitCode"] == 0, machine.output("p")
    assert machine.output("p") == "{} hidden p 127.0.0.1\nTrue p!\nclean True\n"
    assert (machine.state / "volumes/artifacts/out.txt").read_text() == "kept"
    shared = Path("/dev/shm") / f"swiftlet-{os.getuid()}" / pod["metadata"]["uid"]  # noqa: S108
    assert not shared.exists()


def test_init_containers_run_one_after_another_and_share_volumes(machine: Any, tools: Any) -> None:
    mounts = [{"name": "run", "mountPath": "/run"}]
    write = "cd $SWIFTLET_ROOT/run; sleep 0.2; echo {0} >> order; cat order"
    containers = [tools.shell(write.format(name), name, volumeMounts=mounts) for name in ("one", "two", "main")]
    pod = tools.pod_of("p", containers[2], initContainers=containers[:2], volumes=[{"name": "run", "emptyDir": {}}])
    ended = machine.run_pod(pod)
    assert ended["status"]["phase"] == "Succeeded"
    assert machine.output("p").split() == ["one", "two", "main"]
    assert conditions(ended)["Initialized"]["status"] == "True"
    assert tools.ended(ended, "one")["finishedAt"] < tools.ended(ended, "two")["startedAt"]


def test_a_failed_init_container_ends_the_pod(machine: Any, tools: Any) -> None:
    pod = tools.pod_of("p", tools.shell("echo never"), initContainers=[tools.shell("exit 2", "prepare")])
    ended = machine.run_pod(pod)
    assert ended["status"]["phase"] == "Failed" and tools.ended(ended, "prepare")["exitCode"] == 2
    assert "waiting" in tools.container(ended)["state"]


@pytest.mark.parametrize(
    ("script", "code", "reason"),
    [
        ("exit 0", 0, "Completed"),
        ("exit 3", 3, "Error"),
        ("kill -KILL $$$$", 137, "Error"),
        ("kill -SEGV $$$$", 139, "Error"),
    ],
)
def test_exit_codes_and_signals(machine: Any, tools: Any, script: str, code: int, reason: str) -> None:
    pod = machine.run_pod(tools.pod_of("p", tools.shell(script)))
    found = tools.ended(pod)
    assert (found["exitCode"], found["reason"]) == (code, reason)
    assert found.get("signal") == (code - 128 if code > 128 else None)
    assert pod["status"]["phase"] == ("Succeeded" if code == 0 else "Failed")
    assert "hostIP" in pod["status"] and found["startedAt"] <= found["finishedAt"]


def test_a_program_that_does_not_exist(machine: Any, tools: Any) -> None:
    pod = machine.run_pod(tools.pod_of("p", {"name": "main", "command": ["no-such-program"]}))
    assert tools.ended(pod)["reason"] == "StartError" and tools.ended(pod)["exitCode"] == 128
    assert tools.ended(pod)["message"] == "no-such-program: no such program"


def test_termination_message_from_the_file(machine: Any, tools: Any) -> None:
    script = "head -c 5000 /dev/zero | tr '\\0' x > $SWIFTLET_ROOT/dev/termination-log; exit 1"
    pod = machine.run_pod(tools.pod_of("p", tools.shell(script)))
    assert tools.ended(pod)["message"] == "x" * 4096


@pytest.mark.parametrize(("policy", "message"), [("FallbackToLogsOnError", "the cause\n"), ("File", None)])
def test_termination_message_from_the_log(machine: Any, tools: Any, policy: str, message: str | None) -> None:
    pod = machine.run_pod(tools.pod_of("p", tools.shell("echo the cause; exit 1", terminationMessagePolicy=policy)))
    assert tools.ended(pod).get("message") == message


def test_more_memory_than_the_limit_is_an_oom_kill(machine: Any, tools: Any) -> None:
    code = "x = bytearray(300_000_000); import time; time.sleep(60)"
    pod = machine.run_pod(tools.pod_of("p", tools.python(code, resources={"limits": {"memory": "100Mi"}})))
    assert tools.ended(pod)["reason"] == "OOMKilled" and tools.ended(pod)["exitCode"] == 137


def test_on_failure_restarts_until_it_succeeds(machine: Any, tools: Any) -> None:
    mounts = [{"name": "run", "mountPath": "/run"}]
    script = "cd $SWIFTLET_ROOT/run; echo x >> n; echo run $(wc -l < n); test $(wc -l < n) -ge 3"
    pod = tools.pod_of(
        "p",
        tools.shell(script, volumeMounts=mounts),
        restartPolicy="OnFailure",
        volumes=[{"name": "run", "emptyDir": {}}],
    )
    ended = machine.run_pod(pod)
    assert ended["status"]["phase"] == "Succeeded" and tools.container(ended)["restartCount"] == 2
    assert tools.container(ended)["lastState"]["terminated"]["exitCode"] == 1
    assert [machine.output("p", restart=n) for n in range(3)] == ["run 1\n", "run 2\n", "run 3\n"]


def test_a_crash_loop_backs_off(machine: Any, tools: Any) -> None:
    async def scenario(engine: Any) -> None:
        engine.store.apply(tools.pod_of("p", tools.shell("exit 1"), restartPolicy="Always"))

        def backing_off() -> Any:
            pod = engine.store.get("Pod", "default", "p")
            status = tools.container(pod) if "containerStatuses" in pod.get("status", {}) else None
            return status and status["restartCount"] >= 2 and status["state"].get("waiting")

        waiting = await tools.eventually(backing_off)
        assert waiting["reason"] == "CrashLoopBackOff" and "back-off" in waiting["message"]
        assert engine.store.get("Pod", "default", "p")["status"]["phase"] == "Running"

    machine.run(scenario)


def test_probes_hold_back_readiness_and_restart_the_dead(machine: Any, tools: Any, free_port: Any) -> None:
    port = free_port()
    code = f"""
import http.server, os, pathlib, threading, time
root = pathlib.Path(os.environ["SWIFTLET_ROOT"])
up = pathlib.Path("{machine.state}/up")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ok = up.exists() and not (self.path == "/livez" and (root / "dead").exists())
        self.send_response(200 if ok else 503)
        self.end_headers()
http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
"""

    def probe(path: str, failures: int) -> dict[str, Any]:
        get = {"path": path, "port": "http"}
        return {"httpGet": get, "periodSeconds": 0.1, "failureThreshold": failures}

    server_container = tools.python(
        code,
        ports=[{"name": "http", "containerPort": port}],
        startupProbe=probe("/readyz", 100),
        readinessProbe=probe("/readyz", 1),
        livenessProbe=probe("/livez", 2),
    )

    async def scenario(engine: Any) -> None:
        engine.store.apply(tools.pod_of("p", server_container, restartPolicy="Always"))
        seen: list[tuple[bool, bool]] = []

        def status() -> Any:
            return tools.container(engine.store.get("Pod", "default", "p"))

        def ready() -> bool:
            seen.append((status()["started"], status()["ready"]))
            return bool(status()["ready"])

        await tools.phase(engine, "p", "Running")
        await asyncio.sleep(0.5)  # for some probes
        assert not ready()
        (machine.state / "up").touch()
        await tools.eventually(ready)
        assert seen[0] == (False, False), "not ready before the startup probe"
        (machine.state / "pods/default/p/roots/main/dead").touch()
        await tools.eventually(lambda: status()["restartCount"] == 1 and status()["ready"])
        assert status()["lastState"]["terminated"]["exitCode"] == 143
        reasons = {event["reason"] for event in engine.store.events("Pod", "default", "p")}
        assert {"Unhealthy", "Killing", "BackOff"} <= reasons

    machine.run(scenario)


def test_exec_probe_runs_in_the_container(machine: Any, tools: Any) -> None:
    check = {"exec": {"command": ["sh", "-c", "test -e $SWIFTLET_ROOT/ready"]}, "periodSeconds": 0.1}
    main = tools.shell("sleep 3600", readinessProbe=check)

    async def scenario(engine: Any) -> None:
        engine.store.apply(tools.pod_of("p", main))
        pod = await tools.phase(engine, "p", "Running")
        assert not tools.container(pod)["ready"]
        (machine.state / "pods/default/p/roots/main/ready").touch()
        await tools.eventually(lambda: tools.container(engine.store.get("Pod", "default", "p"))["ready"])

    machine.run(scenario)


def test_deletion_is_sigterm_then_sigkill_and_leaves_nothing(machine: Any, tools: Any) -> None:
    code = "import signal, sys, time; signal.signal(15, {}); print('up'); time.sleep(60)"
    deaf, polite = code.format("signal.SIG_IGN"), code.format("lambda *_: sys.exit(0)")

    async def scenario(engine: Any) -> None:
        engine.store.apply(tools.pod_of("deaf", tools.python(deaf), terminationGracePeriodSeconds=1))
        engine.store.apply(tools.pod_of("polite", tools.python(polite), terminationGracePeriodSeconds=3600))
        for name in ("deaf", "polite"):
            await tools.phase(engine, name, "Running")
            logs = machine.state / f"pods/default/{name}/logs/main/0.log"
            await tools.eventually(lambda logs=logs: logs.exists() and "up" in logs.read_text())
            engine.store.delete("Pod", "default", name)
        await tools.eventually(lambda: engine.store.get("Pod", "default", "polite") is None, seconds=5)
        await tools.eventually(lambda: engine.store.get("Pod", "default", "deaf") is None, seconds=5)

    machine.run(scenario)
    assert list((machine.state / "pods/default").iterdir()) == []


def test_the_end_of_a_container_takes_its_children_along(machine: Any, tools: Any) -> None:
    script = "setsid sleep 3600 & echo $! > $SWIFTLET_ROOT/run/pid; exit 0"
    mounts = [{"name": "run", "mountPath": "/run"}]
    volumes = [{"name": "run", "emptyDir": {}}]
    machine.run_pod(tools.pod_of("p", tools.shell(script, volumeMounts=mounts), volumes=volumes))
    child = int((machine.state / "pods/default/p/volumes/run/pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(child, signal.SIGCONT)


@pytest.mark.parametrize(
    ("resources", "short"),
    [({"limits": {"nvidia.com/gpu": "99"}}, "nvidia.com/gpu"), ({"requests": {"memory": "99Ti"}}, "memory")],
)
def test_what_the_machine_lacks_is_unschedulable(
    machine: Any, tools: Any, resources: dict[str, Any], short: str
) -> None:
    async def scenario(engine: Any) -> None:
        engine.store.apply(tools.pod_of("p", tools.shell("exit 0", resources=resources)))
        pod = await tools.phase(engine, "p", "Pending")
        scheduled = conditions(pod)["PodScheduled"]
        assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
        assert f"Insufficient {short}" in scheduled["message"]

    machine.run(scenario)


def test_a_missing_config_map_is_waited_for(machine: Any, tools: Any) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}, "data": {"k": "v"}}
    mounts = [{"name": "v", "mountPath": "/v"}]
    pod = tools.pod_of(
        "p",
        tools.shell("cat $SWIFTLET_ROOT/v/k", volumeMounts=mounts),
        volumes=[{"name": "v", "configMap": {"name": "late"}}],
    )

    async def scenario(engine: Any) -> None:
        engine.store.apply(pod)

        def waiting() -> Any:
            found = engine.store.get("Pod", "default", "p")
            return found.get("status") and tools.container(found)["state"].get("waiting", {}).get("message")

        assert await tools.eventually(lambda: "ConfigMap late does not exist" in (waiting() or ""))
        engine.store.apply(config)
        await tools.phase(engine, "p", "Succeeded")

    machine.run(scenario)


def test_a_port_in_use_names_who_has_it(machine: Any, tools: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        pod = machine.run_pod(tools.pod_of("p", tools.shell("exit 0", ports=[{"containerPort": port}])))
    found = tools.ended(pod)
    assert found["reason"] == "PortInUse"
    assert f"port {port} is in use" in found["message"] and str(os.getpid()) in found["message"]


def test_fields_that_choose_nodes_are_told_to_be_idle(machine: Any, tools: Any) -> None:
    pod = tools.pod_of("p", tools.shell("exit 0"), nodeSelector={"gpu": "yes"}, tolerations=[{"key": "x"}])

    async def scenario(engine: Any) -> list[dict[str, Any]]:
        engine.store.apply(pod)
        await tools.phase(engine, "p", "Succeeded")
        events: list[dict[str, Any]] = engine.store.events("Pod", "default", "p")
        return events

    (event,) = [event for event in machine.run(scenario) if event["reason"] == "SchedulingIgnored"]
    assert "nodeSelector, tolerations" in event["message"] and event["count"] == 1


def test_a_port_in_use_names_the_resource_that_has_it(machine: Any, tools: Any, free_port: Any) -> None:
    port = free_port()
    ports = [{"containerPort": port}]
    server = f"import http.server as h; h.HTTPServer(('127.0.0.1', {port}), h.BaseHTTPRequestHandler).serve_forever()"
    first = tools.pod_of(
        "first", tools.python(server, ports=ports, readinessProbe={"tcpSocket": {"port": port}, "periodSeconds": 0.1})
    )

    async def scenario(engine: Any) -> dict[str, Any]:
        engine.store.apply(first)

        def ready() -> bool:
            found = engine.store.get("Pod", "default", "first")
            return bool(found.get("status")) and tools.container(found)["ready"]

        await tools.eventually(ready)
        engine.store.apply(tools.pod_of("second", tools.shell("exit 0", ports=ports)))
        found: dict[str, Any] = await tools.phase(engine, "second", "Failed")
        return found

    message = tools.ended(machine.run(scenario))["message"]
    assert f"port {port} is in use by pod/first of {machine.state} (process " in message
