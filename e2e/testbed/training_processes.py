"""The training processes of a node without torchrun's start, for tests of what they compute.

They are forked from a process that has imported what all of them import and has computed nothing: seconds of both cores
less for each. What a pod does, torchrun included, is `python -m swiftlet_trainer train`.
"""

import multiprocessing
import os
import socket
from collections.abc import Mapping

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
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    world = {
        "WORLD_SIZE": str(count),
        "LOCAL_WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    processes = [
        context.Process(
            target=_work, args=(job_path, {**environment, **world, "RANK": str(rank), "LOCAL_RANK": str(rank)})
        )
        for rank in range(count)
    ]
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
    leave(main(["--job", job_path]))
