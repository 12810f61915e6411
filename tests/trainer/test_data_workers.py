"""Batches that other processes put together are the same batches."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from swiftlet.wire.messages import EXIT_ERROR, EXIT_OK
from swiftlet_trainer.training.stopping import StopRequest

AHEAD = {"dataloaderNumWorkers": 2}


def data_workers(of: psutil.Process) -> list[psutil.Process]:
    """Forks of a training process."""
    return [child for child in of.children() if child.cmdline() == of.cmdline()]


class AtStep(StopRequest):
    """Asks for nothing; `then` is called in step `step`."""

    def __init__(self, step: int, then: Callable[[], None]) -> None:
        self._left, self._then = step, then

    @property
    def requested(self) -> bool:  # type: ignore[override]
        self._left -= 1
        if self._left == 0:
            self._then()
        return False


@pytest.mark.parametrize("packing", [False, True])
def test_what_is_learnt_is_the_same(make_pod: Callable[[str], Any], tiny_model: Path, packing: bool) -> None:
    own = psutil.Process()
    seen: list[int] = []
    pods = []
    for name, training in (("alone", {"dataloaderNumWorkers": 0}), ("ahead", AHEAD)):
        pod = make_pod(name)
        pod.write_job(tiny_model, training=training, template={"packing": packing})
        pod.prepare()
        pod.train_here(AtStep(2, lambda: seen.append(len(data_workers(own)))))
        pods.append(pod)
    assert seen == [0, 2]
    assert data_workers(own) == []
    assert pods[0].losses() == pods[1].losses()


def test_a_run_whose_data_worker_was_killed_goes_on_from_its_checkpoint(
    make_pod: Callable[[str], Any], tiny_model: Path
) -> None:
    """As by the kernel, for memory."""
    changes: dict[str, Any] = {"training": {**AHEAD, "maxSteps": 100}, "checkpoints": {"intervalSteps": 10, "keep": 2}}
    straight = make_pod("straight")
    straight.write_job(tiny_model, **changes)
    straight.prepare()
    straight.train_here()
    pod = make_pod("killed")
    pod.write_job(tiny_model, **changes)
    pod.prepare()

    process = pod.start()
    pod.wait_for_step(12)
    (worker,) = psutil.Process(process.pid).children()
    for forked in data_workers(worker):
        forked.kill()
    log = process.communicate(timeout=300)[0]
    assert process.returncode == EXIT_ERROR, log
    assert re.search(
        r"DataLoader worker .* (killed by signal|exited unexpectedly)", pod.termination()["failure"]["message"]
    )
    assert pod.checkpoints()

    code, log = pod.train()
    assert code == EXIT_OK, log
    assert straight.losses() == pod.losses()
