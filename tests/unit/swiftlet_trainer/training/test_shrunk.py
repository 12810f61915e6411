"""Small models of an architecture show what the large ones would."""

from typing import Any

import pytest
import torch
import transformers
from swiftlet_trainer.training.attention import packing_problem
from swiftlet_trainer.training.logits import head_problem
from swiftlet_trainer.training.shrunk import shrunk

SOUND: dict[str, dict[str, Any]] = {
    "Llama": {"num_key_value_heads": 8},
    "Mistral": {},
    "Qwen2": {},
    "Qwen3": {},
    "Gemma": {},
    "Gemma2": {},
    "Phi3": {},
    "Cohere": {},
    "Granite": {"logits_scaling": 8.0},
    "Olmo2": {},
    "GPTNeoX": {},
    "GPT2": {},
    "Mixtral": {},
    "Qwen3Moe": {},
}
MIXING: dict[str, dict[str, Any]] = {
    "Lfm2": {"layer_types": ["conv", "conv", "full_attention"], "num_hidden_layers": 3},
    "Mamba": {},
    "Mamba2": {},
    "Jamba": {},
    "FalconH1": {},
    "RecurrentGemma": {},
    "Qwen3Next": {},
    "Bamba": {},
}
"""Architectures whose recurrent and convolutional layers run on from one row into the next."""


def published(name: str, **settings: Any) -> Any:
    """An architecture in the size that it is published in, without weights."""
    config = getattr(transformers, f"{name}Config")(**{"num_hidden_layers": 8, **settings})
    with torch.device("meta"):
        return transformers.AutoModelForCausalLM.from_config(config)


@pytest.mark.parametrize("name", SOUND)
def test_what_the_trainer_understands_is_understood_in_small(name: str) -> None:
    before = torch.get_rng_state()
    small = shrunk(published(name, **SOUND[name]))
    assert small is not None
    assert torch.equal(torch.get_rng_state(), before)
    assert sum(weight.numel() for weight in small.parameters()) < 20_000_000
    assert {weight.device.type for weight in small.parameters()} == {"cpu"}
    assert head_problem(small) is None
    assert packing_problem(small) is None


@pytest.mark.parametrize("name", MIXING)
def test_layers_that_mix_rows_are_found_in_small(name: str) -> None:
    small = shrunk(published(name, **MIXING[name]))
    assert small is not None
    assert f"{name}ForCausalLM lets the rows" in str(packing_problem(small))


def test_logits_that_the_trainer_does_not_know_are_found_in_small() -> None:
    """FalconH1 multiplies by lm_head_multiplier."""
    small = shrunk(published("FalconH1", lm_head_multiplier=0.04))
    assert "FalconH1ForCausalLM computes its logits in a way" in str(head_problem(small))


def test_sizes_that_follow_from_others_are_left_to_them() -> None:
    """Falcon computes that of a head."""
    small = shrunk(published("Falcon", hidden_size=4544, num_attention_heads=71))
    assert (small.config.hidden_size, small.config.head_dim) == (64, 16)


def test_an_architecture_without_a_small_form_is_told_apart(rigid: Any) -> None:
    assert shrunk(rigid) is None
