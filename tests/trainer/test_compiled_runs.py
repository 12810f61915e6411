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
    plain = make_pod("plain")
    plain.write_job(tiny_model)
    plain.prepare()
    plain.train_here()
    expected = [float(loss) for loss in plain.losses().values()]
    compiled = make_pod("ddp").output / "compiled"
    for strategy in ("ddp", "zero2"):
        pod = make_pod(strategy)
        both = {"strategy": strategy, "processesPerNode": 2, "perDeviceBatchSize": 2}
        pod.write_job(tiny_model, **both, training={"torchCompile": True})
        if strategy != "ddp":  # layers are compiled before they are distributed: they are the same ones
            shutil.copytree(compiled, pod.output / "compiled")
        pod.prepare()
        code, log = pod.train()
        assert code == EXIT_OK, log
        assert "compilation={'reason': 'Compiled', 'message': '2 layers in " in log, strategy
        assert [float(loss) for loss in pod.losses().values()] == pytest.approx(expected, rel=1e-4), strategy
        assert sorted(folder.name for folder in compiled.iterdir()) == ["rank-0", "rank-1"]


def test_a_compiler_that_fails_is_told_and_the_run_goes_on(pod: Any, tiny_model: Path) -> None:
    pod.write_job(tiny_model, training={"torchCompile": True})
    pod.prepare()
    code, log = pod.train(CXX="/bin/false")
    assert code == EXIT_OK, log
    assert "compilation={'reason': 'CompileFailed'" in log and "the run goes on without it: " in log
    assert len(pod.losses()) == 6
