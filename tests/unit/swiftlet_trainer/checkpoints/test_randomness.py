"""Random numbers of a run that goes on."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from swiftlet_trainer.checkpoints.randomness import load_randomness, save_randomness


def drawn() -> list[float]:
    return [random.random(), float(np.random.random()), float(torch.rand(1))]


@pytest.mark.parametrize(("rank", "world"), [(0, 1), (1, 2)])
def test_the_same_numbers_come_next(tmp_path: Path, rank: int, world: int) -> None:
    drawn()
    save_randomness(tmp_path, rank, world)
    expected = drawn()
    drawn()
    load_randomness(tmp_path, rank, world)
    assert drawn() == expected


def test_each_process_has_its_own(tmp_path: Path) -> None:
    for rank in (0, 1):
        torch.manual_seed(rank)
        save_randomness(tmp_path, rank, 2)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rng_state_0.pth", "rng_state_1.pth"]
    load_randomness(tmp_path, 0, 2)
    first = torch.rand(4)
    load_randomness(tmp_path, 1, 2)
    assert not torch.equal(torch.rand(4), first)
