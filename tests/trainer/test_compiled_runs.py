"""Runs whose layers are compiled, as a pod runs them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.timeout(1800)  # to compile takes a minute of both cores, and other tests run beside it
def test_compiled_processes_follow_the_curve_of_one_that_is_not(
    make_pod: Callable[[str], Any], tiny_model: Path
) -> None:
    """Layers are compiled before they are distributed, so that ZeRO speaks for DDP; each process has its own."""
    plain = make_pod("plain")
    plain.write_job(tiny_model)
    plain.prepare()
    plain.train_here()
    pod = make_pod("zero2")
    both = {"strategy": "zero2", "processesPerNode": 2, "perDeviceBatchSize": 2}
    pod.write_job(tiny_model, **both, training={"torchCompile": True})
    pod.prepare()
    pod.train_together()
    (said,) = (event["compilation"] for event in pod.progress() if event["type"] == "compile")
    assert (said["reason"], said["message"][:12]) == ("Compiled", "2 layers in ")
    assert pod.curve() == pytest.approx(plain.curve(), rel=1e-4)
    assert sorted(folder.name for folder in (pod.output / "compiled").iterdir()) == ["rank-0", "rank-1"]


def test_a_compiler_that_fails_is_told_and_the_run_goes_on(pod: Any, tiny_model: Path) -> None:
    import torch._inductor.config

    pod.write_job(tiny_model, training={"torchCompile": True})
    pod.prepare()
    torch._dynamo.reset()
    with torch._inductor.config.patch({"cpp.cxx": (None, "/bin/false")}):
        pod.train_here()
    (said,) = (event["compilation"] for event in pod.progress() if event["type"] == "compile")
    assert said["reason"] == "CompileFailed"
    assert said["message"].startswith("the run goes on without it: ")
    assert len(pod.losses()) == 6
