"""What several processes learn in bf16 is what one learns."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROWS = 128


class Noted:
    """Keeps the figures of the step."""

    figures: Any = None

    def start(self) -> None:
        """Nothing to do."""

    def step(self, figures: Any) -> None:
        """The only step."""
        self.figures = figures

    def pause(self, what: str, seconds: float) -> None:
        """Nothing to do."""


def train(rank: int, world: int, folder: Path, port: int) -> None:
    """One process of a run of one step, a row at a time: 128 micro-batches of one process, or 64 of each of two."""
    ranks = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world}
    os.environ |= {name: str(value) for name, value in ranks.items()}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    import torch
    from datasets import Dataset
    from swiftlet.wire.documents import TrainDocument
    from swiftlet_trainer.checkpoints.store import CheckpointStore
    from swiftlet_trainer.parallel.environment import forget_torchrun
    from swiftlet_trainer.parallel.strategy import join_processes, leave_deepspeed_out
    from swiftlet_trainer.training.arguments import training_arguments
    from swiftlet_trainer.training.collate import Collator
    from swiftlet_trainer.training.data import order_data
    from swiftlet_trainer.training.head import attach_token_scores
    from swiftlet_trainer.training.sft import SftTrainer
    from swiftlet_trainer.training.stopping import StopRequest
    from transformers import LlamaConfig, LlamaForCausalLM

    leave_deepspeed_out()
    if world > 1:
        join_processes(use_gpu=False, local_rank=rank, with_deepspeed=False)
    else:
        forget_torchrun()
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=64, **sizes)).to(torch.bfloat16)
    attach_token_scores(model, is_linear=True)
    rows = Dataset.from_list([{"input_ids": list(range(3, 15)), "labels": list(range(3, 15)), "length": 12}] * ROWS)
    document = TrainDocument.model_validate(
        {
            "name": "n", "namespace": "ns", "uid": "u", "model": {"uri": "m"}, "datasets": [], "task": {},
            "tuner": {"full": {}}, "template": {}, "checkpoints": {}, "nodes": 1, "processesPerNode": world,
            "training": {"globalBatchSize": ROWS, "maxGradNorm": 0}, "strategy": "ddp", "perDeviceBatchSize": 1,
            "gradientAccumulationSteps": ROWS // world, "useGpu": False, "outputDir": "/o", "artifactUri": "pvc://c/p",
        }
    )  # fmt: skip
    noted = Noted()
    trainer = SftTrainer(
        model=model,
        args=training_arguments(document, 1, True, world, None, folder, 0),
        data=order_data(rows, None, Collator(0), ROWS, 1),
        training=document.training,
        store=CheckpointStore(folder / "checkpoints", 1),
        interval=1,
        master_weights=True,
        stop=StopRequest(),
        recorder=noted,
    )
    (folder / f"seed-{rank}").write_text(str(torch.initial_seed()))
    trainer.train()
    if rank == 0:
        found = {"loss": noted.figures.loss, "grad_norm": noted.figures.grad_norm}
        (folder / "figures.json").write_text(json.dumps(found))


def figures(folder: Path, world: int, port: int) -> dict[str, float]:
    """Of the step by `world` processes."""
    folder.mkdir()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    commands = [[sys.executable, __file__, *map(str, (rank, world, folder, port))] for rank in range(world)]
    processes = [subprocess.Popen(command, env=environment) for command in commands]
    assert [process.wait() for process in processes] == [0] * world
    found: dict[str, float] = json.loads((folder / "figures.json").read_text())
    return found


def test_gradients_of_many_micro_batches_are_summed_in_fp32(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """The same row 128 times: a sum in bf16 stops to grow where a row is less than half a step of it."""
    alone, together = (figures(tmp_path / str(world), world, free_port()) for world in (1, 2))
    assert together["loss"] == pytest.approx(alone["loss"], rel=1e-5)
    assert together["grad_norm"] == pytest.approx(alone["grad_norm"], rel=1e-3)
    seeds = [int((tmp_path / "2" / f"seed-{rank}").read_text()) for rank in range(2)]
    assert seeds == [42, 43], "each process drops other activations, the first those of a lone one"


if __name__ == "__main__":
    train(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
