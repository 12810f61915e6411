"""When two ways of computing a model mean the same."""

from pathlib import Path
from typing import Any

import torch
from swiftlet_trainer.training.probe import POSITIONS, agree, alone, together
from transformers import AutoModelForCausalLM


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


def test_rounding_of_another_kernel_is_told_from_rows_that_see_each_other(smollm2: Path) -> None:
    """On the real model, whose thirty layers add up their rounding."""
    model = AutoModelForCausalLM.from_pretrained(smollm2, dtype=torch.bfloat16, attn_implementation="sdpa")
    with torch.no_grad():
        expected = together(model)
        model.set_attn_implementation("eager")
        found = together(model)
        assert not torch.equal(found, expected)
        assert agree(model, found, expected)
        tokens, positions = torch.arange(8).unsqueeze(0), POSITIONS
        mask = torch.ones(1, 1, 8, 8, dtype=torch.bool).tril()
        leaking = model.base_model(input_ids=tokens, position_ids=positions, attention_mask=mask, use_cache=False)
        assert not agree(model, leaking.last_hidden_state.float(), expected)


def test_broken_weights_say_nothing(tiny: Any) -> None:
    states = torch.full((1, 8, 64), torch.nan)
    assert agree(tiny, states, states.clone())
    assert not agree(tiny, states, torch.zeros(1, 8, 64))
