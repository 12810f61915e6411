"""When two ways of computing a model mean the same."""

from typing import Any

import torch
from swiftlet_trainer.training.probe import agree, alone, together


def test_rows_alone_and_together(tiny: Any) -> None:
    with torch.no_grad():
        apart = alone(tiny)
        assert agree(tiny, apart, together(tiny))
        assert not torch.equal(apart, torch.zeros_like(apart))


def test_one_token_that_differs_is_enough(tiny: Any) -> None:
    states = torch.randn(1, 8, 64, generator=torch.Generator().manual_seed(0))
    other = states.clone()
    other[0, 3] *= 1.01
    assert agree(tiny, states, states)
    assert not agree(tiny, other, states)
    assert agree(tiny.to(torch.bfloat16), other, states), "that is rounding in bf16"
    other[0, 3] *= 1.1
    assert not agree(tiny, other, states)


def test_broken_weights_say_nothing(tiny: Any) -> None:
    states = torch.full((1, 8, 64), torch.nan)
    assert agree(tiny, states, states.clone())
    assert not agree(tiny, states, torch.zeros(1, 8, 64))
