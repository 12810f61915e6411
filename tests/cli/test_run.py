"""swiftlet run with the real engine, the real trainer and a tiny model."""

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from ruamel.yaml import YAML

Background = Any
GOOD = '{"messages": [{"role": "user", "content": "Who are you?"}, {"role": "assistant", "content": "A swift."}]}\n'
UNANSWERED = '{"messages": [{"role": "user", "content": "Who are you?"}]}\n'
BAD = '{"messages": [}\n'


def write(folder: Path, name: str, kind: str, spec: dict[str, Any]) -> Path:
    """A document in a file of its own."""
    path = folder / f"{kind.lower()}.yaml"
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": kind, "metadata": {"name": name}}
    YAML().dump({**head, "spec": spec}, path)
    return path


def training(folder: Path, model: Path, rows: str, steps: int, **more: Any) -> Path:
    """A FineTuneJob on the tiny model."""
    (folder / "rows.jsonl").write_text(rows)
    spec = {
        "model": {"uri": str(model)},
        "datasets": [{"uri": "rows.jsonl"}],
        "training": {"maxSteps": steps, "globalBatchSize": 2},
        **more,
    }
    return write(folder, "tiny", "FineTuneJob", spec)


class Served:
    """A chain whose server was left up, and what it printed until then."""

    def __init__(self, folder: Path, model: Path, background: type, port: int) -> None:
        self.folder, self.state, self.port = folder, folder / "state", port
        (folder / "key").write_text("sesame\n")
        training(folder, model, GOOD * 8 + UNANSWERED, steps=4)
        spec = {
            "model": {"fineTuneJobRef": {"name": "tiny"}},
            "engine": {"name": "transformers"},
            "api": {"port": self.port, "apiKey": {"file": str(folder / "key")}},
        }
        write(folder, "tiny", "ModelDeployment", spec)
        self.run = background("run", folder, "--keep", "--state", self.state)
        self.run.wait_for("Ctrl-C stops.")

    @property
    def shown(self) -> str:
        return "".join(self.run.lines)


@pytest.fixture(scope="module")
def served(
    tiny_model: Path, tmp_path_factory: pytest.TempPathFactory, background: Any, free_port: Callable[[], int]
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    found = Served(folder, tiny_model, background, free_port())
    yield found
    found.run.end()


def test_progress_and_times_are_plain_lines(served: Served) -> None:
    assert re.search(r"finetunejob/tiny         Training: (loading|training|step)", served.shown)
    assert "modeldeployment/tiny     Ready" in served.shown
    assert "\x1b[" not in served.shown
    times = served.shown[served.shown.index("Where the time went") :]
    for words in ("prepare data", "train", "start the server", "in all"):
        assert words in times


def test_dropped_rows_are_told(served: Served) -> None:
    assert "finetunejob/tiny: 9 rows read, 8 used, 1 dropped: " in served.shown


def test_keep_prints_how_to_ask(served: Served) -> None:
    url = f"http://127.0.0.1:{served.port}/v1"
    assert f"modeldeployment/tiny serves tiny, base at {url}" in served.shown
    assert f'curl {url}/chat/completions -H "Authorization: Bearer $API_KEY"' in served.shown


def test_chat_asks_the_served_model(served: Served, swiftlet: Any) -> None:
    done = swiftlet("chat", "--once", "Hello", "--max-tokens", "4", "--state", served.state)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\n")


def test_chat_turn_by_turn(served: Served, swiftlet: Any) -> None:
    asked = ["chat", "tiny", "--model", "base", "--max-tokens", "3", "--state", served.state]
    done = swiftlet(*asked, input="Hello\nAnd again\n")
    assert done.returncode == 0, done.stderr
    assert f"base at http://127.0.0.1:{served.port}/v1; Ctrl-D ends" in done.stderr


def test_chat_with_a_name_that_is_not_served(served: Served, swiftlet: Any) -> None:
    done = swiftlet("chat", "--model", "other", "--once", "Hello", "--state", served.state)
    assert done.returncode == 1
    assert "'other' is not served; the served names are tiny, base" in done.stderr


def test_chat_with_a_wrong_key_is_refused(served: Served, swiftlet: Any) -> None:
    (served.folder / "key").write_text("wrong\n")
    done = swiftlet("chat", "--once", "Hello", "--state", served.state)
    (served.folder / "key").write_text("sesame\n")
    assert done.returncode == 1
    assert "answered 401" in done.stderr


def test_a_second_run_on_the_folder_is_refused(served: Served, swiftlet: Any) -> None:
    done = swiftlet("run", served.folder / "finetunejob.yaml", "--state", served.state)
    assert done.returncode == 3
    assert "is in use by process" in done.stderr


def test_what_serves_cannot_be_deleted_from_outside(served: Served, swiftlet: Any) -> None:
    assert swiftlet("delete", "mdep", "tiny", "--state", served.state).returncode == 3


def test_ctrl_c_ends_serving_and_the_next_run_goes_on(served: Served, swiftlet: Any) -> None:
    assert served.run.stop() == 0
    assert "stopping" in served.shown
    left = swiftlet("get", "mdep", "tiny", "-o", "json", "--state", served.state)
    assert left.stderr == ""
    ready = json.loads(left.stdout)["status"]["conditions"][-1]
    assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", "False", "Stopped")
    trained = json.loads(swiftlet("get", "ftj", "tiny", "-o", "json", "--state", served.state).stdout)
    assert trained["status"]["conditions"][-1]["reason"] == "Trained"
    closed = swiftlet("chat", "--once", "Hello", "--state", served.state)
    assert "is not served, since no engine runs" in closed.stderr
    again = swiftlet("run", served.folder, "--ask", "Who are you?", "--state", served.state, timeout=400)
    assert again.returncode == 0, again.stdout + again.stderr
    answers = again.stdout[again.stdout.index("Asked: Who are you?") :]
    assert answers.splitlines()[1].split()[0] == "base"
    assert answers.splitlines()[2].split()[0] == "tiny"
    assert "finetunejob/tiny         Trained: 4 steps" in again.stdout
    assert "train " not in again.stdout[again.stdout.index("Where the time went") :]
    jobs = json.loads(swiftlet("get", "jobs", "-o", "json", "--state", served.state).stdout)["items"]
    assert [job["metadata"]["name"] for job in jobs] == ["tiny-train-0"]


def test_a_failure_tells_cause_log_and_next_step_and_replace_tries_again(
    swiftlet: Any, tiny_model: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    document = training(tmp_path, tiny_model, GOOD * 3 + BAD, steps=2)
    failed = swiftlet("run", document, "--state", state, timeout=400)
    assert failed.returncode == 1
    cause = failed.stdout[failed.stdout.index("\nfinetunejob/tiny: ") :]
    assert "rows.jsonl" in cause
    assert "4" in cause.splitlines()[1], cause
    assert "in:    pod tiny-train-0-0" in cause
    assert "exit code 2" in cause
    log = next(line.split()[-1] for line in cause.splitlines() if line.startswith("  log:"))
    assert Path(log).is_file()
    assert "swiftlet run --replace" in cause
    document = training(tmp_path, tiny_model, GOOD * 4, steps=2)
    assert swiftlet("run", document, "--state", state).returncode == 1
    replaced = swiftlet("run", document, "--state", state, "--replace", timeout=400)
    assert replaced.returncode == 0, replaced.stdout + replaced.stderr
    assert "finetunejob/tiny is made anew" in replaced.stdout
    changed = training(tmp_path, tiny_model, GOOD * 4, steps=3)
    refused = swiftlet("run", changed, "--state", state)
    assert refused.returncode == 2
    assert "spec.training.maxSteps: 3 is immutable (it was 2)" in refused.stderr
    assert "run with --replace" in refused.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_drains_and_the_next_run_resumes(
    swiftlet: Any, background: Any, tiny_model: Path, tmp_path: Path, number: int, code: int
) -> None:
    state = tmp_path / "state"
    document = training(tmp_path, tiny_model, GOOD * 8, steps=100000, checkpoints={"intervalSteps": 100000})
    run = background("run", document, "--state", state)
    try:
        run.wait_for("Training: step")
        assert run.stop(number) == code
    finally:
        run.end()
    job = json.loads(swiftlet("get", "ftj", "tiny", "-o", "json", "--state", state).stdout)
    saved = list(state.glob("volumes/swiftlet-artifacts/default/finetunejobs/*/checkpoints/step-*"))
    assert len(saved) == 1, "\n".join(run.lines)
    summary = job["status"]["conditions"][-1]
    assert (summary["status"], summary["reason"]) == ("Unknown", "Stopped")
    assert "failure" not in job["status"]
    late = swiftlet("run", document, "--state", state, "--timeout", "2")
    assert late.returncode == 4
    assert "not finished within 2 s; run again to go on" in late.stdout


def test_a_second_ctrl_c_kills_pods_that_cannot_save(
    swiftlet: Any, background: Any, tiny_model: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    document = training(tmp_path, tiny_model, GOOD * 8, steps=100000, checkpoints={"intervalSteps": 100000})
    run = background("run", document, "--state", state)
    try:
        run.wait_for("Training: step")
        (record,) = state.glob("pods/*/*/processes/train.json")
        trainers = [psutil.Process(int(pid)) for pid in json.loads(record.read_text())]
        # The trainer hangs, so that only SIGKILL ends it; its grace period is longer than the test waits below.
        frozen = max(trainers, key=lambda process: process.pid)
        assert frozen.ppid() in {process.pid for process in trainers}
        for process in [frozen, *frozen.children(recursive=True)]:
            os.kill(process.pid, signal.SIGSTOP)
        run.send(signal.SIGINT)
        run.wait_for("once more kills them")
        time.sleep(1)
        assert frozen.is_running()
        began = time.monotonic()
        assert run.stop() == 130
        assert time.monotonic() - began < 15
        assert any("killing the pods" in line for line in run.lines)
        assert not any(process.is_running() for process in trainers)
    finally:
        run.end()
    (pod,) = json.loads(swiftlet("get", "pods", "-o", "json", "--state", state).stdout)["items"]
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137
    job = json.loads(swiftlet("get", "ftj", "tiny", "-o", "json", "--state", state).stdout)
    assert job["status"]["conditions"][-1]["reason"] == "Stopped"
    assert not list(state.glob("volumes/swiftlet-artifacts/default/finetunejobs/*/checkpoints/step-*"))
