"""Tests that need a GPU: none of them is collected where there is none. `make gpu-test` runs them alone."""

from typing import Any

import pytest
import torch

collect_ignore_glob = [] if torch.cuda.is_available() else ["test_*.py"]


@pytest.fixture
def tiny() -> Any:
    """A random Llama of two layers with shared key heads, in fp32, on the CPU."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=300,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
    )
    return LlamaForCausalLM._from_config(config, attn_implementation="sdpa")
