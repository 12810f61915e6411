"""Vectors of sequences in batches of every layout beside those of the backbone, sequence by sequence."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from swiftlet_trainer.training.heads.pool import PoolHead, Pooling, attach_vectors
from transformers import LlamaModel

OF_ONE: dict[Pooling, Callable[[torch.Tensor], torch.Tensor]] = {
    "last": lambda hidden: hidden[-1],
    "mean": lambda hidden: hidden.mean(0),
    "cls": lambda hidden: hidden[0],
}


@pytest.mark.parametrize("pooling", OF_ONE)
@pytest.mark.parametrize("normalize", [True, False])
def test_vectors_are_those_of_rows_alone(
    config: Callable[..., Any],
    rows: list[dict[str, Any]],
    passed: Callable[..., dict[str, torch.Tensor]],
    pooling: Pooling,
    normalize: bool,
) -> None:
    torch.manual_seed(0)
    model = LlamaModel(config())
    alone = [model(input_ids=torch.tensor([row["input_ids"]])).last_hidden_state[0] for row in rows]
    expected = torch.stack([OF_ONE[pooling](one) for one in alone])
    expected = expected / expected.norm(dim=-1, keepdim=True) if normalize else expected
    for found in passed(model, rows, lambda one: attach_vectors(one, PoolHead(pooling, normalize))).values():
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
