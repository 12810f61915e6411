"""Writing a checkpoint from all processes of a run."""

import shutil

import torch

from swiftlet_trainer.checkpoints.randomness import save_randomness
from swiftlet_trainer.checkpoints.store import CheckpointStore, DiskFull, is_disk_full
from swiftlet_trainer.parallel.peers import Peers
from swiftlet_trainer.training.engine import Engine

ADAM_BYTES = 8
"""Two fp32 moments per trained weight."""
MASTER_BYTES = 4


def write_checkpoint(step: int, engine: Engine, peers: Peers, store: CheckpointStore) -> None:
    """Write the state after `step` steps as the newest checkpoint. Called on every process.

    Raises DiskFull when it does not fit; the previous checkpoint stays as it was.
    """
    is_main = peers.rank == 0
    needed = expected_bytes(engine.model, store)
    if is_main:
        store.begin(step, needed)
    peers.wait()
    folder = store.partial(step)
    try:
        engine.save(folder, is_main)
        save_randomness(folder, peers.rank, peers.world_size)
        peers.wait()
        if is_main:
            store.commit(step, peers.world_size)
    except Exception as error:
        full = is_disk_full(error)
        free = shutil.disk_usage(store.folder).free
        if is_main:
            store.abandon(step)
        if full:
            raise DiskFull(store.folder, needed, free) from error
        raise
    peers.wait()


def expected_bytes(model: torch.nn.Module, store: CheckpointStore) -> int:
    """Bytes of the next checkpoint: those of the last one, or trained weights with Adam's moments and an fp32 copy."""
    steps = store.steps()
    if steps:
        return store.size(steps[-1])
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    count = sum(getattr(parameter, "ds_numel", parameter.numel()) for parameter in trained)
    width = max((parameter.element_size() for parameter in trained), default=0)
    return int(count * (width + ADAM_BYTES + (MASTER_BYTES if width < MASTER_BYTES else 0)))
