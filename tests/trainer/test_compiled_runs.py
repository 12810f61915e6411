"""Runs whose layers are compiled, as a pod runs them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from swiftlet.wire.messages import EXIT_OK


@pytest.mark.timeout(1800)  # to compile takes a minute of both cores, and other tests run beside it
def test_compiled_processes_follow_the_curve_of_one_that_is_not(
    make_pod: Callable[[str], Any], tiny_model: Path
) -> None:
    """Layers are compiled before they are distributed: what is compiled for one process serves all."""
    plain = make_pod("plain")
    plain.write_job(tiny_model)
    plain.prepare()
    plain.train_here()
    compiled: Path | None = None
    for strategy, processes in (("ddp", 1), ("ddp", 2), ("zero2", 2)):
        pod = make_pod(f"{strategy}-{processes}")
        rows = {"perDeviceBatchSize": 2, "gradientAccumulationSteps": 2 // processes}
        training = {"torchCompile": True}
        pod.write_job(tiny_model, strategy=strategy, processesPerNode=processes, **rows, training=training)
        for rank in range(processes if compiled else 0):
            shutil.copytree(compiled, pod.output / "compiled" / f"rank-{rank}")
        pod.prepare()
        pod.train_together(processes)
        compiled = pod.output / "compiled" / "rank-0"
        (said,) = (event["compilation"] for event in pod.progress() if event["type"] == "compile")
        assert (said["reason"], said["message"][:12]) == ("Compiled", "2 layers in "), strategy
        assert pod.curve() == pytest.approx(plain.curve(), rel=1e-4), strategy
        assert sorted(folder.name for folder in compiled.parent.iterdir()) == [f"rank-{n}" for n in range(processes)]


def test_a_compiler_that_fails_is_told_and_the_run_goes_on(pod: Any, tiny_model: Path) -> None:
    pod.write_job(tiny_model, training={"torchCompile": True})
    pod.prepare()
    code, log = pod.train(CXX="/bin/false")
    assert code == EXIT_OK, log
    assert "compilation={'reason': 'CompileFailed'" in log and "the run goes on without it: " in log
    assert len(pod.losses()) == 6
