"""What an engine works on, and what it leaves alone."""

import asyncio
from typing import Any

from swiftlet.api.schema.problems import Source
from swiftlet.documents.document import Document
from swiftlet.kinds.frame.outcome import Outcome
from swiftlet.local.engine import Engine
from swiftlet.local.store import Store


def test_only_what_was_named_and_what_it_needs_is_run(machine: Any, tools: Any) -> None:
    def reconcile(item: dict[str, Any], reader: Any, now: Any, capabilities: Any) -> Outcome:
        name, uid = item["metadata"]["name"], item["metadata"]["uid"]
        template = {"metadata": {}, "spec": {"containers": [tools.shell("sleep 3600")], "restartPolicy": "Never"}}
        owner = {"apiVersion": item["apiVersion"], "kind": item["kind"], "name": name, "uid": uid, "controller": True}
        metadata = {"name": f"{name}-job", "ownerReferences": [owner]}
        child = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}
        pods = [pod for pod in reader.children("default", uid) if pod["kind"] == "Pod"]
        phases = {(pod.get("status") or {}).get("phase") for pod in pods}
        return Outcome([child], [], {"runs": "Running" in phases})

    def of(kind: str, name: str, spec: dict[str, Any]) -> Document:
        head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": kind, "metadata": {"name": name}}
        return Document({**head, "spec": spec}, Source("bird.yaml"), machine.state)

    trained = {"model": {"uri": "hf://o/n"}, "datasets": [{"uri": "configmap://d/r.jsonl"}]}
    suites = [{"perplexity": {"uri": "configmap://d/r.jsonl"}}]
    needed = of("FineTuneJob", "needed", trained)
    scored = of("EvalRun", "scored", {"target": {"fineTuneJobRef": {"name": "needed"}}, "suites": suites})
    others = [of("FineTuneJob", "other", trained)]

    def running(engine: Engine) -> set[str]:
        kinds = ("FineTuneJob", "EvalRun")
        items = [item for kind in kinds for item in engine.store.list(kind)]
        return {item["metadata"]["name"] for item in items if (item.get("status") or {}).get("runs")}

    async def work(documents: list[Document], wanted: set[str], killed: bool = False) -> set[str]:
        kinds = dict.fromkeys(("FineTuneJob", "EvalRun"), reconcile)
        async with Engine(machine.state, machine.environ, reconcilers=kinds, documents=documents) as engine:
            told = {item["metadata"]["name"] for item in engine.left_alone()}
            told |= {f"{name} runs" for name in running(engine)}
            engine.apply(documents)
            async with asyncio.timeout(60):
                await engine.run(lambda: running(engine) == wanted)
            await asyncio.sleep(0.3)
            assert running(engine) == wanted
            if killed:  # as after kill -9: nothing is written at the end
                engine._tell_stopped = lambda items: None  # type: ignore[method-assign]
                engine.store.update_status = lambda *key, status: {}  # type: ignore[method-assign, assignment]
        return told

    assert asyncio.run(work([needed, *others], {"needed", "other"}, killed=True)) == set()
    assert asyncio.run(work([scored], {"needed", "scored"})) == {"other", "needed runs"}
    jobs = {item["metadata"]["name"]: item for item in Store(machine.state, read_only=True).list("Job")}
    assert jobs["other-job"]["status"]["active"] == 0
    assert "needed-job" in jobs and "scored-job" in jobs
