"""The training processes of a node without torchrun's start, for tests of what they compute.

They are forked from a process that has imported what all of them import and has computed nothing: seconds of both cores
less for each. What a pod does, torchrun included, is `python -m swiftlet_trainer train`.
"""

import multiprocessing
import os
import runpy
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unittest import mock

PRELOADED = [
    "peft",
    "swiftlet_trainer.data.prepared",
    "swiftlet_trainer.models.loading",
    "swiftlet_trainer.training.trainer",
]
"""DeepSpeed is not among them: a run without it has to leave it out."""


def train_together(
    job_path: str, environment: Mapping[str, str], count: int = 2, seconds: float = 600
) -> list[int | None]:
    """Exit code of each process, by rank; None for one that had to be killed after so many seconds."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    world = {
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    ranks = [{"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(count)]
    return _fork_together(_work, [(job_path, {**environment, **world, **rank}) for rank in ranks], seconds)


def run_together(script: str, arguments: Sequence[Sequence[object]]) -> list[int | None]:
    """Exit code of each of the processes that run a file as a program, with arguments of their own."""
    return _fork_together(_run, [(script, *map(str, given)) for given in arguments])


def _fork_together(
    work: Callable[..., None], arguments: Sequence[tuple[Any, ...]], seconds: float = 600
) -> list[int | None]:
    """Exit code of each of the processes that call `work` with arguments of their own; None for one that was killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    processes = [context.Process(target=work, args=given) for given in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
    return [process.exitcode for process in processes]


def _work(job_path: str, environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    import torch
    from swiftlet_trainer.training.worker import leave, main

    torch.set_num_threads(1)
    _shard_small_weights_too()
    leave(main(["--job", job_path]))


def _shard_small_weights_too() -> None:
    """ZeRO-3 keeps weights of fewer than 100,000 numbers whole by default, and so most of a small model's."""
    from swiftlet_trainer.parallel import strategy

    own = strategy.deepspeed_config

    def config(*given: Any) -> dict[str, Any] | None:
        found = own(*given)
        if found is not None:
            found["zero_optimization"]["stage3_param_persistence_threshold"] = 0
        return found

    mock.patch.object(strategy, "deepspeed_config", config).start()


def _run(script: str, *arguments: str) -> None:
    import torch

    torch.set_num_threads(1)
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")
