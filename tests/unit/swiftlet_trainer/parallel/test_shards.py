"""Weights that ZeRO-3 has sharded. That passes then compute the same is shown by tests/trainer/test_train_verb.py."""

import sys

import pytest
from swiftlet_trainer.parallel.shards import is_sharded, read_by, whole
from torch import nn


def test_weights_that_are_not_sharded_need_no_deepspeed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deepspeed", None)
    layer = nn.Linear(2, 3)
    with whole(layer.parameters()):
        assert not any(is_sharded(weight) for weight in layer.parameters())


def test_weights_of_other_modules_are_gathered_for_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    from deepspeed.runtime.zero.partitioned_param_coordinator import iter_params

    layer, others = nn.Linear(2, 2), nn.Linear(2, 2)
    read_by(layer, [others.weight])
    assert [id(weight) for weight in iter_params(layer)] == [id(layer.weight), id(layer.bias), id(others.weight)]
