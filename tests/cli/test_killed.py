"""`swiftlet run` killed by -9 in the middle of training: what the next run goes on with. The loss curve tells."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import psutil
from curves import loss_curve
from ruamel.yaml import YAML

STEPS = 200
ROWS = "".join(
    json.dumps({"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": f"Swift {n}."}]})
    + "\n"
    for n in range(24)
)


def job(folder: Path, model: Path) -> Path:
    """The same training in a folder of its own."""
    folder.mkdir()
    (folder / "rows.jsonl").write_text(ROWS)
    spec = {
        "model": {"uri": str(model)},
        "datasets": [{"uri": "rows.jsonl"}],
        "training": {"maxSteps": STEPS, "globalBatchSize": 4},
        "checkpoints": {"intervalSteps": 20},
    }
    head = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "metadata": {"name": "bird"}}
    YAML().dump({**head, "spec": spec}, folder / "job.yaml")
    return folder / "job.yaml"


def test_kill_nine_loses_nothing_but_steps(swiftlet: Any, background: Any, tiny_model: Path, tmp_path: Path) -> None:
    undisturbed = swiftlet("run", job(tmp_path / "whole", tiny_model), "--state", tmp_path / "whole/state")
    assert undisturbed.returncode == 0, undisturbed.stdout + undisturbed.stderr
    document, state = job(tmp_path / "cut", tiny_model), tmp_path / "cut/state"
    run = background("run", document, "--state", state)
    try:
        wait_for_checkpoint(state)
        family = psutil.Process(run.pid).children(recursive=True)
        run.send(signal.SIGKILL)
        _, alive = psutil.wait_procs(family, timeout=120)
        assert not alive, "the pods outlived their engine"
    finally:
        run.end()
    trained = loss_curve(state / "volumes/swiftlet-artifacts")
    assert len(trained) < STEPS, "it was killed after its end: this proves nothing"
    again = swiftlet("run", document, "--state", state)
    assert again.returncode == 0, again.stdout + again.stderr
    curve = loss_curve(state / "volumes/swiftlet-artifacts")
    assert curve == loss_curve(tmp_path / "whole/state/volumes/swiftlet-artifacts")
    assert [step for step, _ in curve] == list(range(1, STEPS + 1))
    found = json.loads(swiftlet("get", "ftj", "bird", "-o", "json", "--state", state).stdout)
    assert found["status"]["restarts"]["user"] == 0


def wait_for_checkpoint(state: Path) -> None:
    """Return once there is a whole checkpoint."""
    deadline = time.monotonic() + 300
    while not list(state.glob("volumes/swiftlet-artifacts/default/finetunejobs/*/checkpoints/step-*")):
        assert time.monotonic() < deadline, "no checkpoint came"
        time.sleep(0.02)
