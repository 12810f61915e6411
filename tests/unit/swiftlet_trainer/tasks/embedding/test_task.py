"""The loss of a step does not depend on the batches and processes that it is computed in."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.tasks.embedding import EmbeddingTask
from swiftlet_trainer.parallel.peers import Peers
from swiftlet_trainer.tasks.base import ComparesRows
from swiftlet_trainer.tasks.embedding.task import Embedding
from swiftlet_trainer.training.among import among_rows
from swiftlet_trainer.training.collate import Batch, Collator
from swiftlet_trainer.training.heads.pool import SequenceVectors

ROWS = [(3, 1.0), (2, 0.0), (4, 1.0), (3, 0.4), (2, 1.0), (5, 0.0), (3, 1.0), (2, 0.2)]
"""Texts of each row, and its target."""
KINDS = 53
"""Of tokens: so many that no two pairs of texts are equally close."""
LOSSES = {
    "infonce": {"lossType": "infonce"},
    "matryoshka": {"matryoshkaDims": [8, 4], "maskFakeNegative": True},
    "cosent": {"lossType": "cosent"},
    "online_contrastive": {"lossType": "online_contrastive", "margin": 1.5},
    "cosine_similarity": {"lossType": "cosine_similarity"},
}


def batch_of(numbers: Sequence[int]) -> Batch:
    """Rows of texts of one to three tokens."""
    rows = []
    for number in numbers:
        texts, target = ROWS[number]
        lengths = [1 + (number + text) % 3 for text in range(texts)]
        ids = [(number * 7 + place * 3) % KINDS for place in range(sum(lengths))]
        row = {"input_ids": ids, "labels": [-100] * len(ids), "seq_lengths": lengths, "group_sizes": [texts]}
        rows.append({**row, "targets": [target]})
    return Collator(0, padding_free=True)(rows)


class Model(torch.nn.Module):
    """Vectors of texts that are means of those of tokens."""

    def __init__(self) -> None:
        super().__init__()
        weights = torch.randn(KINDS, 8, generator=torch.Generator().manual_seed(2))
        self.tokens = torch.nn.Embedding.from_pretrained(weights, freeze=False)

    def forward(self, input_ids: Any, bounds: Any, **_others: Any) -> SequenceVectors:
        hidden = self.tokens(input_ids.flatten())
        found = torch.stack([hidden[start:end].mean(0) for start, end in bounds.tolist()])
        return SequenceVectors(torch.nn.functional.normalize(found, dim=-1))


def step(task: Embedding, batches: Sequence[Batch], peers: Peers) -> tuple[float, Any]:
    """The loss that a process reports of a step, and its gradient."""
    model, total = Model(), 0.0
    for batch in among_rows(task, model, batches, peers):
        found = task.loss(model(**batch["inputs"]), batch)
        found.total.backward()
        total += found.total.item()
    return total, model.tokens.weight.grad


ALONE = Peers(0, 1, torch.device("cpu"))


class Threads:
    """The processes of a run, as threads."""

    def __init__(self, count: int) -> None:
        self._barrier, self._given = threading.Barrier(count), dict[int, torch.Tensor]()
        self.peers = [Thread(rank, count, torch.device("cpu"), self) for rank in range(count)]

    def summed(self, rank: int, tensor: torch.Tensor) -> torch.Tensor:
        self._given[rank] = tensor
        self._barrier.wait()
        found = torch.stack([self._given[one] for one in sorted(self._given)]).sum(0)
        self._barrier.wait()
        return found


@dataclass(frozen=True)
class Thread(Peers):
    threads: Threads

    def summed(self, tensor: torch.Tensor) -> torch.Tensor:
        return self.threads.summed(self.rank, tensor)


@pytest.mark.parametrize("fields", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize(("processes", "size"), [(1, 1), (1, 4), (2, 2), (2, 4), (4, 1)])
def test_the_step_is_the_same_however_it_is_divided(fields: Any, processes: int, size: int) -> None:
    task = Embedding(EmbeddingTask.model_validate(fields))
    assert isinstance(task, ComparesRows)
    whole, gradient = step(task, [batch_of(range(8))], ALONE)
    parts = [batch_of(range(start, start + size)) for start in range(0, 8, size)]
    found = dict[int, tuple[float, Any]]()

    def work(peers: Peers) -> None:
        found[peers.rank] = step(task, parts[peers.rank :: processes], peers)

    threads = [threading.Thread(target=work, args=(one,)) for one in Threads(processes).peers]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
    assert sum(total for total, _ in found.values()) == pytest.approx(whole, rel=1e-5)
    assert torch.allclose(sum(each for _, each in found.values()), gradient, atol=1e-5)


def test_a_step_of_one_batch_needs_no_first_pass() -> None:
    task, batch = Embedding(EmbeddingTask()), batch_of(range(8))
    (found,) = among_rows(task, None, [batch], ALONE)
    assert found is batch


def test_what_does_not_count_is_not_among_the_others() -> None:
    """Batches that keep a process busy while others have one more."""
    task, model = Embedding(EmbeddingTask()), Model()
    one, other = batch_of(range(4)), batch_of(range(4, 8))
    first, _ = among_rows(task, model, [one, other], ALONE, [True, False])
    found = task.loss(model(**first["inputs"]), first)
    assert found.total.item() == pytest.approx(step(task, [one], ALONE)[0], rel=1e-6)
