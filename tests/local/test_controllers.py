"""Jobs and Deployments with real processes."""

from typing import Any


def job(name: str, container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    pod = spec.pop("pod", {})
    template = {
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 2, "containers": [container], **pod}
    }
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template, **spec}}


async def finished(engine: Any, tools: Any, name: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        found: dict[str, Any] = engine.store.get("Job", "default", name)
        types = {c["type"] for c in (found.get("status") or {}).get("conditions", []) if c["status"] == "True"}
        return found if types & {"Complete", "Failed"} else None

    done: dict[str, Any] = await tools.eventually(over)
    return done


def reasons(found: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["reason"] for c in found["status"]["conditions"]}


def run_job(machine: Any, tools: Any, *objects: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    async def scenario(engine: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        for document in objects:
            engine.store.apply(document)
        return await finished(engine, tools, objects[-1]["metadata"]["name"]), engine.store.list("Pod")

    done: tuple[dict[str, Any], list[dict[str, Any]]] = machine.run(scenario)
    return done


TALK = """
import os, socket, time
index, address, port = int(os.environ["JOB_COMPLETION_INDEX"]), os.environ["PET_MASTER_ADDR"], int(os.environ["PORT"])
if index == 0:
    with socket.create_server((address, port)) as server:
        connection, _ = server.accept()
        print(connection.recv(100).decode(), os.environ["HOSTNAME"], os.environ["OMP_NUM_THREADS"])
else:
    for _ in range(600):
        try:
            with socket.create_connection((address, port)) as connection:
                connection.sendall(b"hello from 1")
            break
        except OSError:
            time.sleep(0.1)
    else:
        raise SystemExit("nobody answered")
"""


def test_two_indexed_pods_meet_by_the_name_of_the_service(machine: Any, tools: Any, free_port: Any) -> None:
    port = str(free_port())
    env = [{"name": "PET_MASTER_ADDR", "value": "gang-0.gang.default.svc"}, {"name": "PORT", "value": port}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "gang"}, "spec": {"clusterIP": "None"}}
    indexed = {"completionMode": "Indexed", "completions": 2, "parallelism": 2, "backoffLimit": 0}
    done, pods = run_job(machine, tools, service, job("gang", tools.python(TALK, env=env), **indexed))
    assert reasons(done)["Complete"] == "CompletionsReached" and done["status"]["succeeded"] == 2
    first = next(pod["metadata"]["name"] for pod in pods if pod["spec"]["hostname"] == "gang-0")
    greeting, host, threads = machine.output(first).rsplit(maxsplit=2)
    assert (greeting, host) == ("hello from 1", "gang-0") and int(threads) >= 1


def test_the_failure_policy_ends_the_job_and_its_other_pods(machine: Any, tools: Any) -> None:
    script = 'test "$JOB_COMPLETION_INDEX" = 0 && sleep 0.5 && exit 2; sleep 3600'
    policy = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [2]}}]}
    spec = {"completionMode": "Indexed", "completions": 2, "parallelism": 2, "podFailurePolicy": policy}
    done, pods = run_job(machine, tools, job("j", tools.shell(script), **spec))
    assert reasons(done) == {"FailureTarget": "PodFailurePolicy", "Failed": "PodFailurePolicy"}
    assert [tools.ended(pod)["exitCode"] for pod in pods] == [2], "the failed pod stays to be looked at"


def test_failed_pods_are_replaced_within_the_limit(machine: Any, tools: Any) -> None:
    done, pods = run_job(machine, tools, job("j", tools.shell("exit 1"), backoffLimit=1, completions=1))
    assert reasons(done)["Failed"] == "BackoffLimitExceeded" and done["status"]["failed"] == 2
    assert len(pods) == 2


def test_the_deadline_stops_a_job(machine: Any, tools: Any) -> None:
    done, _ = run_job(machine, tools, job("j", tools.shell("exec sleep 3600"), activeDeadlineSeconds=1))
    assert reasons(done)["Failed"] == "DeadlineExceeded"


def test_suspend_stops_and_resume_starts_again(machine: Any, tools: Any) -> None:
    async def scenario(engine: Any) -> None:
        def pods(phase: str | None = None) -> list[dict[str, Any]]:
            return [p for p in engine.store.list("Pod") if phase in (None, p.get("status", {}).get("phase"))]

        sleeper = tools.shell("exec sleep 3600")
        engine.store.apply(job("j", sleeper, backoffLimit=0))
        await tools.eventually(lambda: pods("Running"))
        engine.store.apply(job("j", sleeper, backoffLimit=0, suspend=True))
        await tools.eventually(lambda: not pods())
        status = engine.store.get("Job", "default", "j")["status"]
        assert status["conditions"][0]["reason"] == "JobSuspended" and status["failed"] == 0
        engine.store.apply(job("j", sleeper, backoffLimit=0, suspend=False))
        await tools.eventually(lambda: pods("Running"))

    machine.run(scenario)


def test_a_deployment_keeps_its_pod_up_and_rolls_to_a_new_template(machine: Any, tools: Any) -> None:
    def deployment(word: str) -> dict[str, Any]:
        template = {
            "metadata": {"labels": {"app": "x"}},
            "spec": {"terminationGracePeriodSeconds": 2, "containers": [tools.shell(f"echo {word}; exec sleep 3600")]},
        }
        spec = {"replicas": 1, "strategy": {"type": "Recreate"}, "template": template}
        metadata = {"name": "d", "namespace": "default"}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}

    async def scenario(engine: Any) -> None:
        def available() -> Any:
            found = engine.store.get("Deployment", "default", "d").get("status", {})
            fresh = (
                found.get("observedGeneration")
                == engine.store.get("Deployment", "default", "d")["metadata"]["generation"]
            )
            return fresh and found.get("updatedReplicas") == 1 and found.get("availableReplicas") == 1

        engine.store.apply(deployment("one"))
        await tools.eventually(available)
        (first,) = engine.store.list("Pod")
        engine.store.delete("Pod", "default", first["metadata"]["name"])
        await tools.eventually(
            lambda: available() and engine.store.list("Pod")[0]["metadata"]["name"] != first["metadata"]["name"]
        )
        engine.store.apply(deployment("two"))
        await tools.eventually(available)
        (last,) = engine.store.list("Pod")
        await tools.eventually(lambda: machine.output(last["metadata"]["name"]) == "two\n")

    machine.run(scenario)
