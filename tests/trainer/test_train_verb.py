"""`swiftlet_trainer train` as a container runs it: signals, failing ranks, full disks, several processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from swiftlet.wire.messages import EXIT_DIVERGED, EXIT_ERROR, EXIT_INVALID, EXIT_OK, EXIT_TERMINATED
from swiftlet_trainer.artifact.manifest import manifest_digest
from swiftlet_trainer.hardware import multiplies_bf16

RAISES = """
import importlib.machinery, os, sys

def raise_in_step_five(module):
    calls, collate = [], module.Collator.__call__
    def call(self, rows):
        calls.append(rows)
        if len(calls) == 5:
            raise ValueError("row 17 cannot be collated")
        return collate(self, rows)
    module.Collator.__call__ = call

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "swiftlet_trainer.training.collate":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (load(module), raise_in_step_five(module))
        return spec

if os.environ.get("RANK") == "1":
    sys.meta_path.insert(0, Finder)
"""
"""Imported by Python at its start: a fault in one process of the run."""


def test_a_run_leaves_its_results_in_the_termination_message(pod: Any) -> None:
    code, log = pod.train()
    assert code == EXIT_OK, log
    message = pod.termination()
    assert message["artifact"]["digest"] == manifest_digest(pod.output / "artifact")
    assert message["artifact"]["uri"] == "pvc://artifacts/bird/artifact"
    assert message["dataset"]["used"] == 20
    assert (message["progress"]["step"], message["progress"]["percent"]) == (6, 100)
    assert "failure" not in message
    events = pod.progress()
    steps = [event["step"] for event in events if event["type"] == "progress"]
    assert steps == [1, 2, 3, 4, 5, 6]
    assert [event["step"] for event in events if event["type"] == "checkpoint"] == [2, 4, 6]
    assert (pod.output / "report" / "report.html").stat().st_size > 1000


def test_sigterm_in_the_middle_of_a_step_and_kill_in_the_next_attempt(
    make_pod: Callable[[str], Any], tiny_model: Path
) -> None:
    """Both ends leave the curve of an undisturbed run."""
    changes: dict[str, Any] = {"training": {"maxSteps": 100}, "checkpoints": {"intervalSteps": 10, "keep": 2}}
    straight = make_pod("straight")
    straight.write_job(tiny_model, **changes)
    straight.prepare()
    straight.train_here()
    pod = make_pod("disturbed")
    pod.write_job(tiny_model, **changes)
    pod.prepare()

    process = pod.start()
    pod.wait_for_step(3)
    process.send_signal(signal.SIGTERM)
    log = process.communicate(timeout=300)[0]
    assert process.returncode == EXIT_TERMINATED, log
    stopped = pod.termination()["failure"]
    assert (stopped["reason"], stopped["exitCode"]) == ("Terminated", EXIT_TERMINATED)
    step = len(pod.losses())
    assert f"stopped after step {step} of 100; a checkpoint was written" in stopped["message"]
    assert pod.checkpoints()[-1] == f"step-{step:08d}"

    process = pod.start()
    pod.wait_for_step(step + 12)
    for worker in psutil.Process(process.pid).children():
        worker.kill()
    log = process.communicate(timeout=300)[0]
    assert process.returncode == EXIT_ERROR, log
    killed = pod.termination()["failure"]
    assert (killed["reason"], killed["rank"]) == ("OOMKilled", 0)
    assert "most often out of memory" in killed["message"]

    code, log = pod.train()
    assert code == EXIT_OK, log
    assert "resuming from step" in log
    assert pod.losses() == straight.losses()


def test_a_rank_that_raises_is_named_with_its_traceback(
    make_pod: Callable[[str], Any], tiny_model: Path, tmp_path: Path
) -> None:
    pod = make_pod("raises")
    pod.write_job(tiny_model, processesPerNode=2, perDeviceBatchSize=2, training={"maxSteps": 20})
    pod.prepare()
    (tmp_path / "sitecustomize.py").write_text(RAISES)
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    code, log = pod.train(PYTHONPATH=paths)
    assert code == EXIT_ERROR, log
    failure = pod.termination()["failure"]
    assert (failure["rank"], failure["exitCode"]) == (1, EXIT_ERROR)
    assert failure["reason"] == "ValueError"
    assert failure["message"] == "ValueError: row 17 cannot be collated"
    assert 'raise ValueError("row 17 cannot be collated")' in failure["traceback"]


def test_a_loss_that_is_no_number_is_not_retried(
    make_pod: Callable[[str], Any], tiny_model: Path, tmp_path: Path
) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    poisoned = tmp_path / "poisoned"
    shutil.copytree(tiny_model, poisoned)
    weights = load_file(poisoned / "model.safetensors")
    weights["model.norm.weight"][0] = float("inf")
    save_file(weights, poisoned / "model.safetensors", metadata={"format": "pt"})
    pod = make_pod("nan")
    pod.write_job(poisoned)
    pod.prepare()
    code, log = pod.train()
    assert code == EXIT_DIVERGED, log
    failure = pod.termination()["failure"]
    assert (failure["reason"], failure["exitCode"]) == ("Diverged", EXIT_DIVERGED)
    assert "the loss of step 1 is nan" in failure["message"]


def test_a_disk_that_fills_up_during_a_checkpoint(make_pod: Callable[[str], Any], tiny_model: Path) -> None:
    """The artifacts volume is a small memory file system, in a mount namespace of its own."""
    pod = make_pod("full")
    pod.write_job(tiny_model, tuner={"full": {}}, training={"maxSteps": 4, "learningRate": 1e-3})
    volume = pod.root / "swiftlet" / "artifacts"
    volume.mkdir(parents=True)
    # One checkpoint of 0.2 million weights with two moments each takes 2.5 MB: the first fits, the second does not.
    script = f"""
mount -t tmpfs -o size=4m tmpfs {volume} || exit 99
{sys.executable} -m swiftlet_trainer prepare && {sys.executable} -m swiftlet_trainer train
code=$?
ls -A {pod.output}/checkpoints {pod.output}/checkpoints/step-00000002 > {pod.root}/listing
exit $code
"""
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "bash", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == EXIT_ERROR, done.stdout + done.stderr
    failure = pod.termination()["failure"]
    assert failure["reason"] == "DiskFull"
    assert "/swiftlet/artifacts/bird/checkpoints: no space for a checkpoint: needs " in failure["message"]
    assert " are free; enlarge the volume" in failure["message"]
    listing = (pod.root / "listing").read_text().split()
    assert "complete.json" in listing and "model.safetensors" in listing
    assert not any(name.startswith((".partial", "step-00000004")) for name in listing)


FP32 = [(strategy, "fp32", 1e-4) for strategy in ("ddp", "zero1", "zero2", "zero3")]
BF16 = [(strategy, "auto", 1e-2) for strategy in ("ddp", "zero1", "zero2", "zero3") if multiplies_bf16(use_gpu=False)]
"""Where the hardware has it: its 8 bits leave 1 % of the loss. Elsewhere "auto" is fp32, which is above."""


@pytest.mark.parametrize(
    ("tuner", "learning_rate", "cases"),
    [({"lora": {"rank": 4}}, 1e-2, FP32 + BF16), ({"full": {}}, 1e-3, [FP32[0], FP32[2], FP32[3]])],
    ids=["lora", "full"],
)
def test_several_processes_follow_the_curve_of_one(
    make_pod: Callable[[str], Any], tiny_model: Path, tuner: Any, learning_rate: float, cases: Any
) -> None:
    """DDP and ZeRO on two processes against one process in fp32, the same rows in each step.

    Sums are made in another order, so rounding differs; over six steps that stays below 1e-4 of the loss.
    """
    training = {"tokenMetrics": True, "learningRate": learning_rate}
    single = make_pod("single")
    single.write_job(tiny_model, tuner=tuner, training=training)
    single.prepare()
    single.train_here()

    def curve(pod: Any, figure: str) -> list[float]:
        return [float(value) for value in pod.figures(figure).values()]

    for strategy, precision, tolerance in cases:
        pod = make_pod(f"{strategy}-{precision}")
        halves = {"strategy": strategy, "processesPerNode": 2, "perDeviceBatchSize": 2, "tuner": tuner}
        pod.write_job(tiny_model, **halves, training=training | {"precision": precision})
        pod.prepare()
        pod.train_together()
        assert curve(pod, "loss") == pytest.approx(curve(single, "loss"), rel=tolerance), strategy
        # The former is written with three digits.
        assert curve(pod, "gradNorm") == pytest.approx(curve(single, "gradNorm"), rel=tolerance + 0.01), strategy
        assert curve(pod, "entropy") == pytest.approx(curve(single, "entropy"), rel=tolerance), strategy
        assert rewrites_of(pod) == rewrites_of(single), "ZeRO-3 does without none of them"
        if precision == "fp32" and "lora" in tuner:
            assert_same_adapter(single.output / "artifact", pod.output / "artifact")


def rewrites_of(pod: Any) -> str:
    """What became of them, as the log says it."""
    (told,) = (event["message"] for event in pod.progress() if "; rewritten: " in event.get("message", ""))
    assert told.startswith("attention row_by_row; rewritten: norms in one piece (5)"), told
    return str(told)


def assert_same_adapter(one: Path, other: Path) -> None:
    import torch
    from safetensors.torch import load_file

    weights, others = (load_file(folder / "adapter_model.safetensors") for folder in (one, other))
    assert weights.keys() == others.keys()
    for name in weights:
        torch.testing.assert_close(weights[name], others[name], rtol=1e-2, atol=1e-4)


def test_zero2_resumes_bit_for_bit_on_as_many_processes(make_pod: Callable[[str], Any], tiny_model: Path) -> None:
    """Without the last checkpoint and the artifact a second attempt repeats two steps; on one process it is refused."""
    import shutil

    pod = make_pod("zero2")
    changes: dict[str, Any] = {
        "strategy": "zero2",
        "gradientAccumulationSteps": 2,
        "perDeviceBatchSize": 1,
        "tuner": {"lora": {"rank": 4, "dropout": 0.1}},
        "training": {"precision": "auto"},
    }
    pod.write_job(tiny_model, **changes, processesPerNode=2)
    pod.prepare()
    pod.train_together()
    expected = pod.losses()
    for written_last in ("checkpoints/step-00000006", "artifact"):
        shutil.rmtree(pod.output / written_last)
    pod.train_together()
    assert "resuming from step 4" in [event.get("message") for event in pod.progress()]
    assert pod.losses() == expected
    shutil.rmtree(pod.output / "artifact")
    pod.write_job(tiny_model, **{**changes, "gradientAccumulationSteps": 4})
    code, log = pod.train()
    assert code == EXIT_INVALID, log
    assert "written by 2 processes, this run has 1" in pod.termination()["failure"]["message"]


def test_two_nodes_stop_together_and_tell_a_lost_peer_from_a_cause(
    make_pod: Callable[[str], Any], tiny_model: Path, free_port: Callable[[], int]
) -> None:
    first, second = make_pod("first"), make_pod("second")
    first.write_job(tiny_model, nodes=2, perDeviceBatchSize=2, training={"maxSteps": 200})
    (second.root / "swiftlet").mkdir()
    for shared in ("artifacts", "data", "job", "models"):  # not /swiftlet/run, which is a pod's own
        (first.root / "swiftlet" / shared).mkdir(exist_ok=True)
        (second.root / "swiftlet" / shared).symlink_to(first.root / "swiftlet" / shared)
    second.prepare()

    def start_both() -> list[subprocess.Popen[str]]:
        meeting = {
            "PET_NNODES": "2",
            "PET_NPROC_PER_NODE": "1",
            "PET_MASTER_ADDR": "127.0.0.1",
            "PET_MASTER_PORT": str(free_port()),
        }
        return [
            pod.start(**meeting, PET_NODE_RANK=str(rank), SWIFTLET_ROOT=str(pod.root), POD_NAME=f"bird-{rank}")
            for rank, pod in enumerate((first, second))
        ]

    nodes = start_both()
    first.wait_for_step(3)
    nodes[1].send_signal(signal.SIGTERM)
    logs = [node.communicate(timeout=300)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [EXIT_TERMINATED] * 2, logs
    step = len(first.losses())
    assert first.checkpoints()[-1] == f"step-{step:08d}"

    nodes = start_both()
    first.wait_for_step(step + 3)
    psutil.Process(nodes[1].pid).children()[0].kill()
    logs = [node.communicate(timeout=300)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [EXIT_ERROR] * 2, logs
    lost, killed = first.termination()["failure"], second.termination()["failure"]
    assert (lost["reason"], lost["rank"], lost["pod"]) == ("PeerFailed", 0, "bird-0"), logs
    assert (killed["reason"], killed["rank"], killed["pod"]) == ("OOMKilled", 1, "bird-1")
