"""Which models can be cut into which sizes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet_trainer.serve.vllm_sizes import Sizes, parallel_problems, uneven_layers

SMOLLM2 = {
    "num_attention_heads": 9, "num_key_value_heads": 3, "num_hidden_layers": 30, "vocab_size": 49152,
    "intermediate_size": 1536,
}  # fmt: skip
LLAMA = {
    "num_attention_heads": 64, "num_key_value_heads": 8, "num_hidden_layers": 80, "vocab_size": 128256,
    "intermediate_size": 28672,
}  # fmt: skip
MIXTRAL = {
    "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32, "vocab_size": 32000,
    "intermediate_size": 14336, "num_local_experts": 8,
}  # fmt: skip
QWEN_MOE = {**LLAMA, "num_experts": 60, "moe_intermediate_size": 1408, "intermediate_size": 5632}


@pytest.mark.parametrize(
    ("config", "sizes"),
    [
        (SMOLLM2, Sizes(3)),
        (SMOLLM2, Sizes(1, 8)),
        (SMOLLM2, Sizes(1, 1, 8)),
        (LLAMA, Sizes(8)),
        (LLAMA, Sizes(16)),
        (LLAMA, Sizes(4, 3)),
        (MIXTRAL, Sizes(8, 1, 1, True)),
        (MIXTRAL, Sizes(4, 1, 2, True)),
        (QWEN_MOE, Sizes(8, 1, 1, True)),
        ({"text_config": LLAMA, "vision_config": {"num_attention_heads": 7}}, Sizes(8)),
        ({"n_head": 16, "n_layer": 24, "vocab_size": 50257}, Sizes(4, 6)),
        ({"num_attention_heads": None, "num_key_value_heads": [8, 4, 8], "vocab_size": True}, Sizes(4)),
        ({}, Sizes(7, 3, 2)),
    ],
)
def test_what_vllm_can_cut_is_let_through(config: dict[str, Any], sizes: Sizes) -> None:
    assert parallel_problems(config, sizes) == []


@pytest.mark.parametrize(
    ("config", "sizes", "said"),
    [
        (SMOLLM2, Sizes(8), "9 attention heads do not divide by 8"),
        ({**LLAMA, "num_key_value_heads": 6}, Sizes(4), "6 key-value heads neither divide by 4"),
        ({**LLAMA, "vocab_size": 32000, "num_attention_heads": 48}, Sizes(3), "vocabulary of 32000, padded to 32000"),
        ({**LLAMA, "intermediate_size": 28670}, Sizes(4), "width of 28670 (intermediate_size) does not divide by 4"),
        (SMOLLM2, Sizes(1, 32), "pipelineParallelSize 32: the model has 30 layers, fewer than stages"),
        (LLAMA, Sizes(8, 1, 1, True), "enableExpertParallel: the model has no experts; remove it"),
        (MIXTRAL, Sizes(8, 1, 2, True), "the model has 8 experts, fewer than the 16 GPUs that share them"),
        (QWEN_MOE, Sizes(4, 1, 3), "experts' width of 1408 does not divide by 12 GPUs"),
        ({"text_config": SMOLLM2}, Sizes(2), "9 attention heads do not divide by 2"),
        ({"thinker_config": {"text_config": SMOLLM2}}, Sizes(2), "9 attention heads do not divide by 2"),
        ({"linear_num_value_heads": 12}, Sizes(8), "12 value heads of linear attention do not divide by 8"),
        ({"n_head": 12}, Sizes(8), "12 attention heads do not divide by 8"),
    ],
)
def test_what_vllm_cannot_cut_is_told_with_the_numbers(config: dict[str, Any], sizes: Sizes, said: str) -> None:
    problems = parallel_problems(config, sizes)
    assert any(said in problem for problem in problems), problems
    assert all(problem.startswith("spec.engine.vllm.") for problem in problems)


def test_the_remedy_uses_all_the_gpus() -> None:
    assert parallel_problems(SMOLLM2, Sizes(8))[0] == (
        "spec.engine.vllm.tensorParallelSize 8 (what is left of compute.gpus where it is absent): the model's 9"
        " attention heads do not divide by 8; set tensorParallelSize 1 x dataParallelSize 8, or tensorParallelSize 1"
        " x pipelineParallelSize 2 x dataParallelSize 4, or tensorParallelSize 1 x pipelineParallelSize 4 x"
        " dataParallelSize 2, or tensorParallelSize 1 x pipelineParallelSize 8"
    )
    assert parallel_problems({**SMOLLM2, "num_attention_heads": 12, "num_key_value_heads": 12}, Sizes(8))[0].endswith(
        "set tensorParallelSize 4 x dataParallelSize 2, or tensorParallelSize 4 x pipelineParallelSize 2, or"
        " tensorParallelSize 2 x dataParallelSize 4, or tensorParallelSize 2 x pipelineParallelSize 2 x"
        " dataParallelSize 2"
    )


NUMBERS = st.fixed_dictionaries(
    {
        "num_attention_heads": st.integers(1, 128), "num_key_value_heads": st.integers(1, 128),
        "num_hidden_layers": st.integers(1, 128), "vocab_size": st.integers(1, 300000),
        "intermediate_size": st.integers(1, 30000),
    },
    optional={"num_experts": st.integers(1, 256), "moe_intermediate_size": st.integers(1, 4096)},
)  # fmt: skip


@given(NUMBERS, st.integers(1, 16), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_every_size_that_is_named_works(
    config: dict[str, Any], tensor: int, pipeline: int, data: int, experts: bool
) -> None:
    sizes = Sizes(tensor, pipeline, data, experts and "num_experts" in config)
    for problem in parallel_problems(config, sizes):
        named = problem.rpartition("; ")[2]
        for option in named.removeprefix("set ").split(", or ") if named.startswith("set tensor") else []:
            said = dict(part.split(" ") for part in option.split(" x "))
            other = Sizes(*(int(said.get(f"{name}ParallelSize", 1)) for name in ("tensor", "pipeline", "data")),
                          sizes.is_expert_parallel)  # fmt: skip
            assert other.gpus == sizes.gpus
            assert parallel_problems(config, other) == []


def test_stages_of_different_size_are_told() -> None:
    assert uneven_layers(SMOLLM2, Sizes(1, 8)) == "30 layers do not divide by 8 pipeline stages: some hold one more"
    assert uneven_layers(SMOLLM2, Sizes(1, 5)) == uneven_layers({}, Sizes(1, 5)) == ""
