"""Writing a checkpoint from all processes of a run."""

import shutil
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from swiftlet_trainer.checkpoints.store import CheckpointStore, DiskFull, is_disk_full
from swiftlet_trainer.models.saving import save_weights

STATE_FILE = "trainer_state.json"
ADAM_BYTES = 8
"""Two fp32 moments per trained weight."""
MASTER_BYTES = 4


def write_checkpoint(trainer: Any, store: CheckpointStore) -> None:
    """Write the state of `trainer` (a transformers Trainer) as the newest checkpoint. Called on every process.

    Raises DiskFull when it does not fit; the previous checkpoint stays as it was.
    """
    step, main = trainer.state.global_step, trainer.args.process_index == 0
    needed = expected_bytes(trainer.model, store)
    if main:
        store.begin(step, needed)
    _wait(trainer)
    folder = str(store.partial(step))
    try:
        if main and not trainer.is_deepspeed_enabled:
            # DeepSpeed's own files hold the weights.
            save_weights(trainer.model, Path(folder))
        trainer._save_optimizer_and_scheduler(folder)
        trainer._save_rng_state(folder)
        if main:
            trainer.state.save_to_json(f"{folder}/{STATE_FILE}")
        _wait(trainer)
        if main:
            store.commit(step, trainer.args.world_size)
    except Exception as error:
        full = is_disk_full(error)
        free = shutil.disk_usage(store.folder).free
        if main:
            store.abandon(step)
        if full:
            raise DiskFull(store.folder, needed, free) from error
        raise
    _wait(trainer)


def expected_bytes(model: torch.nn.Module, store: CheckpointStore) -> int:
    """Bytes of the next checkpoint: those of the last one, or trained weights with Adam's moments and an fp32 copy."""
    steps = store.steps()
    if steps:
        return store.size(steps[-1])
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    count = sum(getattr(parameter, "ds_numel", parameter.numel()) for parameter in trained)
    width = max((parameter.element_size() for parameter in trained), default=0)
    return int(count * (width + ADAM_BYTES + (MASTER_BYTES if width < MASTER_BYTES else 0)))


def _wait(trainer: Any) -> None:
    if trainer.args.world_size > 1:
        dist.barrier()
