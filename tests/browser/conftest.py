"""A state folder as a run leaves it, in which every text that a user may choose is markup."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.schema.defaulting import defaulted
from swiftlet.local.lock import StateLock
from swiftlet.local.logs import log_path
from swiftlet.local.store import Store
from testbed.pages import served

from .answering import answering

Object = dict[str, Any]
HOSTILE = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"
JOB, RUNS = "bird", "volumes/swiftlet-artifacts/default/finetunejobs"


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two jobs, an evaluation, and a server that answers; an engine is at work."""
    folder = tmp_path_factory.mktemp("state")
    store = Store(folder)
    for name, losses in {JOB: ("3.5", "2.5"), "swift": ("3.25", "1.25")}.items():
        _trained(folder, store, name, losses)
    _evaluated(folder, store)
    with answering(_Answering) as url, StateLock(folder):
        status = {"url": f"{url}/v1", "servedNames": [JOB, HOSTILE], "observedGeneration": 1}
        store.apply(_resource("ModelDeployment", JOB, {"model": {"fineTuneJobRef": {"name": JOB}}}))
        store.update_status("ModelDeployment", "default", JOB, {**status, "conditions": [_true("Ready", "Available")]})
        yield folder


@pytest.fixture(scope="session")
def url(state: Path) -> Iterator[str]:
    """Where the page of the state folder is."""
    with served("--state", str(state)) as place:
        yield place


def _resource(kind: str, name: str, spec: Object) -> Object:
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": "default"}}
    return defaulted({**head, "spec": spec})


def _true(type_: str, reason: str) -> Object:
    times = {"observedGeneration": 1, "lastTransitionTime": "2026-01-31T12:00:00Z"}
    return {"type": type_, "status": "True", "reason": reason, "message": HOSTILE, **times}


def _trained(state: Path, store: Store, name: str, losses: tuple[str, ...]) -> None:
    spec = {"model": {"uri": f"hf://org/{HOSTILE}"}, "datasets": [{"uri": f"configmap://{HOSTILE}/rows.jsonl"}]}
    job = store.apply(_resource("FineTuneJob", name, spec))
    folder = state / RUNS / name
    folder.mkdir(parents=True)
    lines = [{"type": "progress", "step": step, "loss": loss} for step, loss in enumerate(losses, 1)]
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    status = {
        "observedGeneration": 1,
        "conditions": [_true("Succeeded", "Trained")],
        "artifact": {"uri": f"pvc://swiftlet-artifacts/default/finetunejobs/{name}/artifact"},
        "dataset": {"read": 9, "used": 8, "dropped": {HOSTILE: 1}},
    }
    store.update_status("FineTuneJob", "default", name, status)
    store.record_event(job, "Warning", "Odd", HOSTILE)
    owner = {key: job[key] for key in ("apiVersion", "kind")} | {key: job["metadata"][key] for key in ("name", "uid")}
    metadata = {
        "name": f"{name}-0",
        "namespace": "default",
        "labels": {"swiftlet.dev/owner-uid": owner["uid"]},
        "ownerReferences": [{**owner, "controller": True}],
    }
    store.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [{"name": "train"}]}})
    log = log_path(state, "default", f"{name}-0", "train", 0)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"2026-01-31T12:00:00.000000000Z stdout F {HOSTILE}\n")


def _evaluated(state: Path, store: Store) -> None:
    suites = [{"name": "who", "generation": {"uri": "configmap://data/questions.jsonl"}}]
    store.apply(_resource("EvalRun", "exam", {"target": {"fineTuneJobRef": {"name": JOB}}, "suites": suites}))
    folder = state / "volumes/swiftlet-artifacts/default/evalruns/exam"
    folder.mkdir(parents=True)
    row = {"suite": "who", "index": 0, "prompt": f"asked {HOSTILE}", "reference": HOSTILE}
    answers = {"baseline": f"before {HOSTILE}", "target": f"after {HOSTILE}"}
    lines = [json.dumps({**row, "subject": subject, "answer": answer}) for subject, answer in answers.items()]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "report.html").write_text("<h1>A report</h1><script>document.title = 'hacked'</script>")
    score = {"suite": "who", "metric": "contains", "n": 9}
    results = [{**score, "subject": subject, "value": value} for subject, value in (("baseline", "0"), ("target", "1"))]
    report = {"uri": "pvc://swiftlet-artifacts/default/evalruns/exam/report.html", "digest": "sha256:0"}
    status = {"observedGeneration": 1, "conditions": [_true("Succeeded", "Evaluated")], "results": results}
    store.update_status("EvalRun", "default", "exam", {**status, "report": report})


class _Answering(BaseHTTPRequestHandler):
    """Answers each question with the model that was asked."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = f"{asked['model']} heard {len(asked['messages'])} {HOSTILE}"
        pieces = [json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in (said[:5], said[5:])]
        self.send_response(200)
        self.end_headers()
        self.wfile.write("".join(f"data: {piece}\n\n" for piece in [*pieces, "[DONE]"]).encode())

    def log_message(self, *_: Any) -> None:
        """Nothing."""
