"""Batches that other processes put together are the same batches."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from swiftlet_trainer.training.stopping import StopRequest

AHEAD = {"dataloaderNumWorkers": 2}


def data_workers() -> list[psutil.Process]:
    """Forks of this process."""
    own = psutil.Process()
    return [child for child in own.children() if child.cmdline() == own.cmdline()]


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
    seen: list[int] = []
    pods = []
    for name, training in (("alone", {"dataloaderNumWorkers": 0}), ("ahead", AHEAD)):
        pod = make_pod(name)
        pod.write_job(tiny_model, training=training, template={"packing": packing})
        pod.prepare()
        pod.train_here(AtStep(2, lambda: seen.append(len(data_workers()))))
        pods.append(pod)
    assert seen == [0, 2]
    assert data_workers() == []
    assert pods[0].losses() == pods[1].losses()


def test_a_run_whose_data_worker_was_killed_goes_on_from_its_checkpoint(
    make_pod: Callable[[str], Any], tiny_model: Path
) -> None:
    """As by the kernel, for memory."""

    def kill() -> None:
        for worker in data_workers():
            worker.kill()

    pods = []
    for name in ("straight", "killed"):
        pods.append(make_pod(name))
        pods[-1].write_job(tiny_model, training={**AHEAD, "maxSteps": 16})
        pods[-1].prepare()
        if name == "killed":
            with pytest.raises(RuntimeError, match=r"DataLoader worker .* (killed by signal|exited unexpectedly)"):
                pods[-1].train_here(AtStep(5, kill))
            assert pods[-1].checkpoints()
        pods[-1].train_here()
    assert pods[0].losses() == pods[1].losses()
