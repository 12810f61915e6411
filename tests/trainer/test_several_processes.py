"""What several processes learn is what one learns, of tokens and of groups of sequences."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from testbed.training_processes import run_together

TOKENS, PAIRS = 128, 8
"""Rows of the step."""


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


class Pairs:
    """A task that compares the sequences of a group: -log sigmoid(log p of the first - log p of the second)."""

    items, want, is_linear, figures = "groups", frozenset[Any](), False, ("mean_token_accuracy",)
    has_baseline, head, told = False, None, staticmethod(dict)

    def loss(self, scores: Any, batch: Any) -> Any:
        """Its figure is the share of pairs whose first is likelier."""
        import torch
        from swiftlet_trainer.tasks.base import StepLoss

        of_sequence = torch.zeros(len(batch["group"])).index_add(0, batch["sequence"], scores.logprob)
        assert batch["group"].bincount().tolist() == [2] * (len(of_sequence) // 2)
        margin = of_sequence[::2] - of_sequence[1::2]
        return StepLoss(
            -torch.nn.functional.logsigmoid(margin).sum(), {"mean_token_accuracy": margin.detach().gt(0).float().sum()}
        )


def pair(number: int) -> dict[str, Any]:
    """A prompt with two answers of other lengths, in one row."""
    prompt, answers = [3 + number, 4, 5], ([6] * (1 + number % 3), [7 + number, 8] * (1 + number % 2))
    return {
        "input_ids": [token for answer in answers for token in prompt + answer],
        "labels": [token for answer in answers for token in [-100] * 3 + answer],
        "seq_lengths": [3 + len(answer) for answer in answers],
        "group_sizes": [2],
        "length": sum(3 + len(answer) for answer in answers),
    }


def small_model(dtype: str) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(vocab_size=64, **sizes, initializer_range=0.2)).to(getattr(torch, dtype))


@dataclass(frozen=True)
class Case:
    """A run of one step. of: tokens or pairs. size: rows at a time."""

    of: str = "tokens"
    size: int = 1
    padding_free: bool = False


CASES = {
    1: [Case(), Case("pairs", PAIRS), Case("pairs", 1), Case("pairs", 4, padding_free=True)],
    2: [Case(), Case("pairs", 2), Case("pairs", 1, padding_free=True)],
}
"""By the number of processes, which run one after the other: to start them takes longer than to compute."""


def join(rank: int, world: int, port: int) -> None:
    """Become one of the processes."""
    ranks = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world}
    os.environ |= {name: str(value) for name, value in ranks.items()}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    from swiftlet_trainer.parallel.strategy import join_processes, leave_deepspeed_out

    leave_deepspeed_out()
    if world > 1:
        join_processes(use_gpu=False, local_rank=rank, with_deepspeed=False)


def document_of(rows: int, world: int, size: int) -> Any:
    """A step of all rows, in micro-batches of `size`."""
    from swiftlet.wire.documents import TrainDocument

    return TrainDocument.model_validate(
        {
            "name": "n", "namespace": "ns", "uid": "u", "model": {"uri": "m"}, "datasets": [], "task": {},
            "tuner": {"full": {}}, "template": {}, "checkpoints": {}, "nodes": 1, "processesPerNode": world,
            "training": {"globalBatchSize": rows, "maxGradNorm": 0}, "strategy": "ddp", "perDeviceBatchSize": size,
            "gradientAccumulationSteps": rows // world // size, "useGpu": False, "outputDir": "/o",
            "artifactUri": "pvc://c/p",
        }
    )  # fmt: skip


def train(rank: int, world: int, folder: Path, case: Case) -> None:
    """One process's part of a case."""
    import torch
    from datasets import Dataset
    from swiftlet_trainer.checkpoints.store import CheckpointStore
    from swiftlet_trainer.parallel.peers import Peers
    from swiftlet_trainer.tasks.sft.task import Sft
    from swiftlet_trainer.training.attention import ROW_BY_ROW, keep_rows_apart
    from swiftlet_trainer.training.collate import Collator
    from swiftlet_trainer.training.heads.tokens import attach_token_scores
    from swiftlet_trainer.training.order import order_data
    from swiftlet_trainer.training.replicated import Replicated
    from swiftlet_trainer.training.stopping import StopRequest
    from swiftlet_trainer.training.trainer import TaskTrainer

    of = case.of
    task: Any = Sft(channels=("even", "odd")) if of == "tokens" else Pairs()
    same = {"input_ids": list(range(3, 15)), "labels": list(range(3, 15)), "length": 12}
    told_apart = [{**same, "targets": [number % 2]} for number in range(TOKENS)]
    rows = Dataset.from_list(told_apart if of == "tokens" else [pair(number) for number in range(PAIRS)])
    model = small_model("bfloat16" if of == "tokens" else "float32")
    assert not case.padding_free or keep_rows_apart(model, ROW_BY_ROW, 12)
    attach_token_scores(model, task.want, task.is_linear)
    document = document_of(len(rows), world, case.size)
    noted = Noted()
    peers = Peers(rank, world, torch.device("cpu"))
    trainer = TaskTrainer(
        engine=Replicated(model, peers, document.training, master_weights=of == "tokens"),
        peers=peers,
        task=task,
        data=order_data(rows, rows, Collator(0, padding_free=case.padding_free), len(rows), 1, task.items),
        document=document,
        total=1,
        store=CheckpointStore(folder / "checkpoints", 1),
        stop=StopRequest(),
        recorder=noted,
    )
    before = trainer.evaluated()["loss"]
    trainer.train()
    (folder / f"seed-{rank}").write_text(str(torch.initial_seed()))
    if rank == 0:
        told = {"loss": noted.figures.loss, "grad_norm": noted.figures.grad_norm, "eval_loss": before}
        (folder / "figures.json").write_text(json.dumps({**told, **noted.figures.of_task}))


@dataclass(frozen=True)
class Runs:
    """What came of all cases."""

    folder: Path

    def figures(self, world: int, case: Case) -> dict[str, Any]:
        """Of the step by `world` processes."""
        found: dict[str, Any] = json.loads((self.of(world, case) / "figures.json").read_text())
        return found

    def of(self, world: int, case: Case) -> Path:
        """The folder of a case."""
        return self.folder / f"{world}-{CASES[world].index(case)}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Runs:
    """Every case, computed."""
    found = Runs(tmp_path_factory.mktemp("several"))
    for world, cases in CASES.items():
        for case in cases:
            found.of(world, case).mkdir()
        given = (world, found.folder, free_port())
        assert run_together(__file__, [(rank, *given) for rank in range(world)]) == [0] * world
    return found


def test_gradients_of_many_micro_batches_are_summed_in_fp32(runs: Runs) -> None:
    """The same row 128 times: a sum in bf16 stops to grow where a row is less than half a step of it."""
    alone, together = (runs.figures(world, Case()) for world in (1, 2))
    assert together["loss"] == pytest.approx(alone["loss"], rel=1e-5)
    assert together["grad_norm"] == pytest.approx(alone["grad_norm"], rel=1e-3)
    channels = dict.fromkeys(("even", "odd"), pytest.approx(alone["loss"], rel=1e-5))
    assert together["channel_losses"] == alone["channel_losses"] == channels, "also of rows of other processes"
    seeds = [int((runs.of(2, Case()) / f"seed-{rank}").read_text()) for rank in range(2)]
    assert seeds == [42, 43], "each process drops other activations, the first those of a lone one"


PAIRED = [(world, case) for world, cases in CASES.items() for case in cases if case.of == "pairs"]
NAMES = ["one batch", "pair by pair", "without padding", "two processes", "two processes without padding"]


@pytest.mark.parametrize(("world", "case"), PAIRED, ids=NAMES)
def test_a_loss_of_groups_is_that_of_full_logits(runs: Runs, world: int, case: Case) -> None:
    """However pairs are batched: mean loss over them, its gradient, and the task's own figure."""
    import torch

    model, losses, likelier = small_model("float32"), [], 0
    for number in range(PAIRS):
        row, sums = pair(number), []
        for ids, labels in zip(
            *(torch.tensor(row[name]).split(row["seq_lengths"]) for name in ("input_ids", "labels")), strict=True
        ):
            logprobs = model(ids.unsqueeze(0)).logits[0, :-1].log_softmax(-1)
            sums.append(logprobs.gather(-1, ids[1:, None]).squeeze(-1)[labels[1:] != -100].sum())
        losses.append(-torch.nn.functional.logsigmoid(sums[0] - sums[1]))
        likelier += int(sums[0] > sums[1])
    loss = torch.stack(losses).mean()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), float("inf"))
    assert 0 < likelier < PAIRS
    found = runs.figures(world, case)
    assert found["loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert found["eval_loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert found["grad_norm"] == pytest.approx(norm.item(), rel=1e-5)
    assert found["mean_token_accuracy"] == likelier / PAIRS


if __name__ == "__main__":
    rank, world, root, port = sys.argv[1:]
    join(int(rank), int(world), int(port))
    for each in CASES[int(world)]:
        train(int(rank), int(world), Runs(Path(root)).of(int(world), each), each)
