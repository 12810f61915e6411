import dataclasses
from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.finetunejob import FineTuneJobSpec
from swiftlet.kinds.finetunejob.estimate import (
    activation_bytes,
    estimate,
    flops_per_token,
    memory_per_process,
    steps_of,
)
from swiftlet.kinds.finetunejob.plan import Layout
from swiftlet.kinds.finetunejob.shape import shape_of
from transformers import AutoConfig, AutoModelForCausalLM

LLAMA_8B = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
}


def spec_of(**changes: Any) -> FineTuneJobSpec:
    base = {"model": {"uri": "hf://a/b"}, "datasets": [{"uri": "configmap://a/b.jsonl"}]}
    return FineTuneJobSpec.model_validate({**base, **changes})


def layout_of(strategy: Any, nodes: int = 1) -> Layout:
    return Layout(nodes, 8, strategy, per_device_batch_size=1, gradient_accumulation_steps=1)


def test_state_of_a_full_mixed_precision_run_is_16_bytes_per_weight() -> None:
    shape, spec = shape_of(LLAMA_8B), spec_of(tuner={"full": {}})
    memory = memory_per_process(spec, layout_of("zero1"), shape, "bf16")
    whole = memory.weights + memory.gradients + memory.optimizer * 8
    assert shape.parameters == 8_030_261_248
    assert whole == pytest.approx(16 * shape.parameters, rel=1e-6)


@pytest.mark.parametrize(
    ("strategy", "weights", "gradients", "optimizer"),
    [("ddp", 2, 4, 12), ("zero1", 2, 2, 12 / 8), ("zero2", 2, 2 / 8, 12 / 8), ("zero3", 2 / 8, 2 / 8, 12 / 8)],
)
def test_what_each_stage_shards(strategy: str, weights: float, gradients: float, optimizer: float) -> None:
    shape = shape_of(LLAMA_8B)
    memory = memory_per_process(spec_of(tuner={"full": {}}), layout_of(strategy), shape, "bf16")
    found = (memory.weights, memory.gradients, memory.optimizer)
    assert found == pytest.approx([shape.parameters * width for width in (weights, gradients, optimizer)], rel=1e-6)


def test_lora_keeps_state_for_its_adapters_only() -> None:
    shape, spec = shape_of(LLAMA_8B), spec_of(tuner={"lora": {"rank": 16}})
    trained = shape.trained(spec.tuner)
    memory = memory_per_process(spec, layout_of("ddp"), shape, "bf16")
    assert memory.weights == 2 * (shape.parameters + trained)
    assert memory.optimizer == 12 * trained
    assert memory.total < 30 * 2**30


@pytest.mark.parametrize("recompute", [False, True])
def test_activations_are_what_autograd_keeps(recompute: bool) -> None:
    sizes = {"hidden_size": 64, "intermediate_size": 160, "num_attention_heads": 4, "num_key_value_heads": 2}
    config = {"model_type": "llama", **sizes, "num_hidden_layers": 4, "vocab_size": 100, "head_dim": 16}
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config, attn_implementation="sdpa")).model
    model.train()
    if recompute:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    kept: dict[int, int] = {}
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    tokens = torch.randint(0, 100, (2, 128))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = model(input_ids=tokens, use_cache=False)
    assert output is not None
    head_input = tokens.numel() * 64 * 4  # no head follows here that would keep the last norm's output
    estimated = activation_bytes(shape_of(config), tokens.numel(), 4, recompute) - head_input
    if recompute:  # the layer that is computed again exists only during the backward pass
        whole, halved = (activation_bytes(shape_of({**config, "num_hidden_layers": n}), 256, 4, False) for n in (4, 2))
        estimated -= (whole - halved) // 2
    assert sum(kept.values()) == pytest.approx(estimated, rel=0.02)


def test_flops_per_token_agree_with_published_figures() -> None:
    """744 TFLOP/s at 14,451 tokens/s and length 8192 is 51.5 GFLOP per token (Megatron-Bridge, Llama 3 8B)."""
    full = spec_of(tuner={"full": {}}, template={"maxLength": 8192})
    assert flops_per_token(full, shape_of(LLAMA_8B)) == pytest.approx(51.5e9, rel=0.005)
    lora = spec_of(template={"maxLength": 4096})
    assert flops_per_token(lora, shape_of(LLAMA_8B)) == pytest.approx(33.2e9, rel=0.02)


@pytest.mark.parametrize(
    ("training", "rows", "steps"),
    [
        ({}, 84, 32),
        ({"epochs": 1}, 84, 11),
        ({"epochs": 0.5}, 8, 1),
        ({"maxSteps": 7}, 84, 7),
        ({"maxSteps": 7}, None, 7),
        ({}, None, None),
    ],
)
def test_steps(training: dict[str, Any], rows: int | None, steps: int | None) -> None:
    assert steps_of(spec_of(training=training), rows) == steps


def test_the_whole_estimate() -> None:
    spec = spec_of(training={"epochs": 1}, checkpoints={"keep": 3})
    found = estimate(spec, layout_of("zero2"), shape_of(LLAMA_8B), "bf16", rows=800)
    assert found.checkpoint_bytes == found.trained_parameters * 14
    assert found.disk_bytes == found.checkpoint_bytes * 4 + found.trained_parameters * 2
    assert found.steps == 100
    assert found.memory.total == sum(dataclasses.astuple(found.memory))


@pytest.mark.parametrize(("gpus", "chunk"), [(0, 256 << 20), (1, 1 << 30)])
def test_a_gpu_holds_larger_chunks_of_logits(gpus: int, chunk: int) -> None:
    spec = spec_of(template={"maxLength": 1 << 20}, compute={"gpus": gpus})
    found = memory_per_process(spec, layout_of("ddp"), shape_of(LLAMA_8B), "bf16").logits
    assert found == pytest.approx(chunk / 4 * (2 + 8), rel=1e-3)


@pytest.mark.parametrize(
    ("task", "sequences", "head"),
    [
        ({"dpo": {}}, 2, 128256),
        ({"kto": {}}, 1, 128256),  # of the other answer nothing is kept
        ({"kto": {"lossType": "apo_zero_unpaired"}}, 1, 128256),
        ({"rm": {}}, 2, 1),
        ({"seqCls": {"numLabels": 5}}, 1, 5),
        ({"embedding": {"hardNegatives": 2}}, 4, 4096),
    ],
)
def test_what_a_task_makes_of_its_rows(task: dict[str, Any], sequences: int, head: int) -> None:
    """Logits of every token up to a chunk of them, or scores or a vector of each sequence."""
    spec, shape = spec_of(task=task, template={"maxLength": 32}), shape_of(LLAMA_8B)
    found = estimate(spec, layout_of("ddp"), shape, "bf16").memory
    alone = estimate(spec_of(template={"maxLength": 32}), layout_of("ddp"), shape, "bf16").memory
    assert found.activations == sequences * alone.activations
    assert found.logits == sequences * head * (2 + 8) * (32 if head > 100_000 else 1)


def test_a_model_without_a_head_has_fewer_weights() -> None:
    """Untied, as these are; a layer that scores is trained as a whole, beside the adapters."""
    shape = shape_of(LLAMA_8B)
    of = {
        name: estimate(spec_of(task={name: {}}), layout_of("ddp"), shape, "bf16") for name in ("sft", "rm", "embedding")
    }
    assert of["sft"].parameters - of["embedding"].parameters == 128256 * 4096
    assert of["rm"].parameters - of["embedding"].parameters == 4096
    assert of["rm"].trained_parameters - of["embedding"].trained_parameters == 4096
    assert of["sft"].trained_parameters == of["embedding"].trained_parameters
    assert of["sft"].flops_per_token > of["rm"].flops_per_token == of["embedding"].flops_per_token


@pytest.mark.parametrize(("dtype", "width"), [({"dtype": "bfloat16"}, 2), ({"torch_dtype": "float32"}, 4), ({}, 4)])
def test_a_merged_base_lies_beside_the_checkpoints(dtype: dict[str, str], width: int) -> None:
    shape = shape_of({**LLAMA_8B, **dtype})
    merged, further = (
        estimate(spec_of(model={"fineTuneJobRef": {"name": "a"}, **changes}), layout_of("ddp"), shape, "bf16")
        for changes in ({"mergeAdapter": True}, {})
    )
    assert merged.merged_bytes == merged.disk_bytes - further.disk_bytes == shape.parameters * width
    assert further.merged_bytes == 0
