"""A model small enough to compute everything twice."""

from typing import Any

import pytest
import torch


@pytest.fixture
def tiny() -> Any:
    """A random Llama in fp32 with a vocabulary of 300."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=300,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config)


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """Rows of 5 to 40 tokens, of which the first half carries no label."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for length in torch.randint(5, 40, (8,), generator=generator).tolist():
        tokens = torch.randint(3, 300, (length,), generator=generator).tolist()
        made.append({"input_ids": tokens, "labels": [-100] * (length // 2) + tokens[length // 2 :], "length": length})
    return made


@pytest.fixture
def rigid() -> Any:
    """An architecture that has one size only, without weights."""
    import transformers

    class Rigid(transformers.LlamaForCausalLM):
        def __init__(self, config: Any) -> None:
            if config.hidden_size != 4096:
                raise ValueError("only one size")
            super().__init__(config)

    with torch.device("meta"):
        return Rigid(transformers.LlamaConfig(num_hidden_layers=1))
