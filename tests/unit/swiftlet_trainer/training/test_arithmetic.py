"""Operations of a step, and peaks of devices."""

from typing import Any

import pytest
from swiftlet_trainer.training.arithmetic import arithmetic_of, peak_of


@pytest.mark.parametrize(
    ("device", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H100 NVL", 835e12),
        ("NVIDIA H200", 989e12),
        ("NVIDIA H20", 148e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA L4", 121e12),
        ("NVIDIA L40S", 362e12),
        ("NVIDIA GeForce RTX 4090", None),
        ("AMD Instinct MI300X", None),
    ],
)
def test_a_device_is_known_by_its_whole_name(device: str, peak: float | None) -> None:
    assert peak_of(device) == peak


def llama(tied: bool) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2, "vocab_size": 32}
    return LlamaForCausalLM(
        LlamaConfig(**sizes, num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=tied)
    )


BLOCK = 8 * 8 * 2 + 8 * 4 * 2 + 8 * 16 * 3
"""Weights of a layer's matrices: query and output, key and value, and the three of the gated MLP."""


@pytest.mark.parametrize("tied", [True, False])
def test_all_weights_take_six_operations_and_embeddings_none(tied: bool) -> None:
    found = arithmetic_of(llama(tied))
    assert found is not None
    assert (found.per_token, found.per_label) == (6 * 2 * BLOCK, 6 * 8 * 32)
    assert found.of_step(tokens=10, labels=3) == 10 * 6 * 2 * BLOCK + 3 * 6 * 8 * 32


def test_frozen_weights_take_four_and_adapters_six() -> None:
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(llama(tied=True), LoraConfig(r=2, target_modules=["q_proj"]))
    found = arithmetic_of(model)
    assert found is not None
    assert (found.per_token, found.per_label) == (4 * 2 * BLOCK + 6 * 2 * (8 * 2 + 2 * 8), 4 * 8 * 32)


def test_experts_are_not_counted() -> None:
    from transformers import MixtralConfig, MixtralForCausalLM

    sizes = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "vocab_size": 32}
    config = MixtralConfig(**sizes, num_attention_heads=2, num_key_value_heads=1, num_local_experts=2)
    assert arithmetic_of(MixtralForCausalLM(config)) is None
