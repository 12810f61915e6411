"""The installed command as a process, and state folders for it to read."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.schema.defaulting import defaulted
from swiftlet.local.logs import log_path
from swiftlet.local.store import Store

from .forking import Forking

SWIFTLET = Path(sys.executable).with_name("swiftlet")
Done = subprocess.CompletedProcess[str]
Command = Callable[..., Done]
FORKED = {"compare", "delete", "describe", "events", "get", "logs", "plan", "preview", "report", "validate", "wait"}
"""Commands of which most tests need not see how they start; test_starting.py does."""


def environment(**more: str) -> dict[str, str]:
    """The test's own environment without what would change the output."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SWIFTLET_STATE", "CI", "TERM")}
    return {**kept, "NO_COLOR": "1", "COLUMNS": "160", **more}


@pytest.fixture(scope="session")
def forking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forking]:
    """Where commands that only read need not wait for their imports."""
    started = Forking(tmp_path_factory.mktemp("forking"))
    yield started
    started.end()


@pytest.fixture(scope="session")
def swiftlet(forking: Forking) -> Command:
    """Run `swiftlet ARGUMENTS...` to its end."""

    def run(*arguments: object, env: dict[str, str] | None = None, **options: Any) -> Done:
        words = [str(one) for one in arguments]
        if words and words[0] in FORKED and "--help" not in words and not options.keys() - {"timeout"}:
            return forking.run(words, environment(**(env or {})), **options)
        given: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 300, "check": False, **options}
        return subprocess.run([str(SWIFTLET), *words], env=environment(**(env or {})), **given)

    return run


def resource(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A stored form of a document of ours."""
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": "default"}}
    return defaulted({**head, "spec": spec})


def write_log(state: Path, pod: str, container: str, *lines: str, restart: int = 0) -> None:
    """Log lines as a kubelet writes them; each is `SECONDS text`."""
    path = log_path(state, "default", pod, container, restart)
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [line.partition(" ") for line in lines]
    text = "".join(f"2026-01-31T12:00:{int(at):02d}.000000000Z stdout F {said}\n" for at, _, said in records)
    path.write_text(text)


@pytest.fixture(scope="session")
def failed_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder as a run leaves it whose second attempt failed on rank 1; two pods for each attempt."""
    state = tmp_path_factory.mktemp("failed")
    store = Store(state)
    spec = {"model": {"uri": "hf://org/name"}, "datasets": [{"uri": "configmap://data/rows.jsonl"}]}
    job = store.apply(resource("FineTuneJob", "bird", spec))
    for attempt in range(2):
        owner = store.apply(_job(job, attempt))
        for index in range(2):
            store.apply(_pod(owner, index))
            write_log(state, f"bird-train-{attempt}-{index}", "prepare", f"{10 * attempt} prepared on {index}")
            write_log(state, f"bird-train-{attempt}-{index}", "train", f"{10 * attempt + 2 + index} attempt {attempt}")
    message = "rank 1 ran out of memory"
    failure = {"reason": "OOMKilled", "message": message, "rank": 1, "pod": "bird-train-1-1", "exitCode": 137}
    condition = {"type": "Succeeded", "status": "False", "reason": "BackoffLimitExceeded", "message": message}
    condition |= {"observedGeneration": 1, "lastTransitionTime": "2026-01-31T12:00:20Z"}
    trace = {"traceback": "Traceback (most recent call last):\nMemoryError: 12 GiB"}
    status = {"observedGeneration": 1, "conditions": [condition], "failure": {**failure, **trace}}
    store.update_status("FineTuneJob", "default", "bird", status)
    store.record_event(job, "Warning", "Failed", message)
    store.record_event(store.get("Pod", "default", "bird-train-1-1") or {}, "Warning", "OOMKilling", "killed")
    for name, rows in {"before": [0, 0, 1, 0, 0, 0], "after": [1, 1, 1, 1, 0, 1]}.items():
        evaluated(state, store, name, {"contains": rows})
    evaluated(state, store, "other", {"accuracy": [1, 0]}, suite="choices")
    return state


def evaluated(state: Path, store: Store, name: str, metrics: dict[str, list[int]], suite: str = "names") -> None:
    """An EvalRun that has ended, with the rows that its pod left on the artifacts volume."""
    suites = [{"name": suite, "generation": {"uri": "configmap://data/questions.jsonl"}}]
    store.apply(resource("EvalRun", name, {"target": {"model": {"uri": "hf://org/name"}}, "suites": suites}))
    folder = state / "volumes/swiftlet-artifacts/default/evalruns" / name
    folder.mkdir(parents=True)
    results = []
    with (folder / "rows.jsonl").open("w") as stream:
        for metric, values in metrics.items():
            mean = sum(values) / len(values)
            results.append(
                {"suite": suite, "metric": metric, "subject": "target", "value": str(mean), "n": len(values)}
            )
            for index, value in enumerate(values):
                row = {"suite": suite, "subject": "target", "index": index, "prompt": f"q{index}"}
                stream.write(json.dumps({**row, "metrics": {metric: value}, "tokens": 3}) + "\n")
    report = {"uri": f"pvc://swiftlet-artifacts/default/evalruns/{name}/report.html", "digest": "sha256:0"}
    status = {"observedGeneration": 1, "conditions": [], "results": results, "report": report}
    store.update_status("EvalRun", "default", name, status)


def _job(owner: dict[str, Any], attempt: int) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(f"{owner['metadata']['name']}-train-{attempt}", owner, owner["metadata"]["uid"]),
        "spec": {"completions": 2},
    }


def _pod(job: dict[str, Any], index: int) -> dict[str, Any]:
    name, uid = job["metadata"]["name"], job["metadata"]["labels"]["swiftlet.dev/owner-uid"]
    metadata = _metadata(f"{name}-{index}", job, uid)
    metadata["labels"]["batch.kubernetes.io/job-name"] = name
    metadata["annotations"] = {"batch.kubernetes.io/job-completion-index": str(index)}
    spec = {"initContainers": [{"name": "prepare"}], "containers": [{"name": "train"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _metadata(name: str, owner: dict[str, Any], resource_uid: str) -> dict[str, Any]:
    reference = {key: owner[key] for key in ("apiVersion", "kind")}
    reference |= {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": True}
    labels = {"swiftlet.dev/owner-uid": resource_uid}
    return {"name": name, "namespace": "default", "labels": labels, "ownerReferences": [reference]}


@pytest.fixture(scope="session")
def tiny_model(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer Llama of random weights with the real tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny") / "model"
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "max_position_embeddings": 512}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    config = LlamaConfig(vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, **sizes, **heads)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


class Background:
    """`swiftlet` as a process that goes on while the test looks at it."""

    def __init__(self, *arguments: object) -> None:
        command = [str(SWIFTLET), *map(str, arguments)]
        # A script's background jobs ignore SIGINT and hand that down; a command at a terminal does not.
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.lines: list[str] = []

    def wait_for(self, text: str, seconds: float = 300) -> str:
        """The first line from now on that contains `text`; fails when the process ends or is silent for too long."""
        assert self._process.stdout
        watchdog = threading.Timer(seconds, self._process.kill)
        watchdog.start()
        try:
            for line in self._process.stdout:
                self.lines.append(line)
                if text in line:
                    return line
        finally:
            watchdog.cancel()
        raise AssertionError(f"it ended without {text!r}:\n{''.join(self.lines)}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: int) -> None:
        """Send a signal and go on."""
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.send(number)
        rest, _ = self._process.communicate(timeout=300)
        self.lines += rest.splitlines(keepends=True)
        return self._process.returncode

    def end(self) -> None:
        """Clean up after a test that failed."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=120)


@pytest.fixture(scope="session")
def background() -> type[Background]:
    """Start `swiftlet ARGUMENTS...` and look at it while it runs."""
    return Background
