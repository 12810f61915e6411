"""Which weights are trained."""

from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.tuner import Full, Lora, Tuner
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.training.model import trainable_parameters
from swiftlet_trainer.tuners.apply import apply_tuner

HIDDEN, INTERMEDIATE, LAYERS, KEY_VALUE = 64, 128, 2, 32


@pytest.fixture
def tiny() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=300,
        hidden_size=HIDDEN,
        intermediate_size=INTERMEDIATE,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).to(torch.bfloat16)


def test_lora_on_all_linear_layers_but_the_head(tiny: Any) -> None:
    rank = 3
    tuned = apply_tuner(tiny, Tuner(lora=Lora(rank=rank)), seed=1)
    square, narrow, wide = 2 * HIDDEN, HIDDEN + KEY_VALUE, HIDDEN + INTERMEDIATE
    assert trainable_parameters(tuned)[0] == LAYERS * rank * (2 * square + 2 * narrow + 3 * wide)
    assert not any("lm_head" in name for name, one in tuned.named_parameters() if one.requires_grad)
    assert {one.dtype for one in tuned.parameters() if one.requires_grad} == {torch.bfloat16}


@pytest.mark.parametrize(("alpha", "rslora", "scale"), [(None, False, 2.0), (4.0, False, 1.0), (4.0, True, 2.0)])
def test_scale_of_the_update(tiny: Any, alpha: float | None, rslora: bool, scale: float) -> None:
    lora = Lora(rank=4, alpha=alpha, use_rslora=rslora, target_modules=["q_proj"])
    tuned = apply_tuner(tiny, Tuner(lora=lora), seed=1)
    layers = [module for name, module in tuned.named_modules() if name.endswith("q_proj")]
    assert [module.scaling["default"] for module in layers] == [scale] * LAYERS


def test_dora_adds_magnitudes(tiny: Any) -> None:
    tuned = apply_tuner(tiny, Tuner(lora=Lora(use_dora=True, target_modules=["q_proj"])), seed=1)
    names = [name for name, one in tuned.named_parameters() if one.requires_grad and "magnitude" in name]
    assert len(names) == LAYERS


def test_new_weights_follow_the_seed(tiny: Any) -> None:
    import copy

    def first(seed: int) -> torch.Tensor:
        tuned = apply_tuner(copy.deepcopy(tiny), Tuner(lora=Lora(rank=4, dropout=0.1)), seed)
        return next(one for name, one in tuned.named_parameters() if "lora_A" in name)

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


def test_full_trains_everything(tiny: Any) -> None:
    trained, every = trainable_parameters(apply_tuner(tiny, Tuner(full=Full()), seed=1))
    assert trained == every


def test_unknown_target_modules_are_named_with_those_that_exist(tiny: Any) -> None:
    lora = Lora(target_modules=["q_proj", "query", "norm"])
    with pytest.raises(InvalidInput) as caught:
        apply_tuner(tiny, Tuner(lora=lora), seed=1)
    assert len(caught.value.problems) == 2
    assert "no linear layer or embedding is called 'query'" in caught.value.problems[0]
    assert "q_proj" in caught.value.problems[0]
