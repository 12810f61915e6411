"""The labelled loss means what each architecture's own forward pass means."""

from typing import Any

import pytest
import torch
import transformers
from swiftlet_trainer.tasks.sft.loss import nll
from swiftlet_trainer.training.attention import ROW_BY_ROW, keep_rows_apart, packing_problem
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.heads.tokens import attach_token_scores
from swiftlet_trainer.training.logits import head_problem
from torch.nn import functional

SMALL = {
    "vocab_size": 128,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "Llama": {},
    "Mistral": {},
    "Qwen2": {},
    "Qwen3": {"head_dim": 8},
    "Gemma": {"head_dim": 8},
    "Gemma2": {"head_dim": 8, "final_logit_softcapping": 0.5},
    "Phi3": {},
    "Cohere": {"logit_scale": 0.25},
    "Granite": {"logits_scaling": 8.0},
    "Olmo2": {},
    "StableLm": {},
    "GPTNeoX": {},
    "GPT2": {},
    "Falcon": {},
    "Starcoder2": {},
    "OPT": {},
}


def model_of(name: str, **settings: Any) -> Any:
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**{**SMALL, **(ARCHITECTURES | MIXING)[name], **settings})
    return transformers.AutoModelForCausalLM.from_config(config).eval()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_loss_is_that_of_the_models_own_logits(name: str) -> None:
    model = model_of(name)
    tokens = torch.randint(3, 128, (1, 16))
    labels = torch.full_like(tokens, -100)
    labels[:, :-1] = tokens[:, 1:]
    with torch.no_grad():
        own = model(input_ids=tokens).logits.float()[0, :-1]
        assert head_problem(model) is None
        attach_token_scores(model)
        loss = nll(model(input_ids=tokens, labels=labels))
    torch.testing.assert_close(
        loss, functional.cross_entropy(own, tokens[0, 1:], reduction="sum"), rtol=1e-5, atol=1e-3
    )


NOT_ROW_BY_ROW = ("Falcon", "Gemma2")
"""Architectures that hand no position_ids to their attention, or have their scores capped."""
NO_MASK = ("Falcon", "OPT")
"""Architectures that make no mask from position_ids."""
MIXING: dict[str, dict[str, Any]] = {
    "Lfm2": {"layer_types": ["conv", "full_attention"], "full_attn_idxs": [1]},
    "Mamba": {"state_size": 8},
    "Jamba": {"num_experts": 2, "use_mamba_kernels": False},
    "FalconH1": {"mamba_d_ssm": 64, "mamba_n_heads": 4, "mamba_d_state": 8, "mamba_chunk_size": 16},
    "RecurrentGemma": {},
    "Qwen3Next": {},
}
"""Architectures with recurrent or convolutional layers, which know of no rows."""


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_packed_rows_mean_what_they_mean_alone(name: str) -> None:
    model = model_of(name)
    assert (packing_problem(model) is not None) == (name in NO_MASK)
    keep_rows_apart(model, ROW_BY_ROW, 11)
    assert (model.config._attn_implementation == ROW_BY_ROW) == (name not in NOT_ROW_BY_ROW)
    if packing_problem(model):
        return
    rows = [{"input_ids": list(range(length, 2 * length)), "labels": [0] * length} for length in (7, 4, 11)]
    joined = Collator(pad_token_id=0, padding_free=True)(rows)["inputs"]
    for name in ("labels", "bounds"):  # of the heads
        joined.pop(name)
    with torch.no_grad():
        alone = [model.base_model(input_ids=torch.tensor([row["input_ids"]])).last_hidden_state for row in rows]
        together = model.base_model(**joined, use_cache=False).last_hidden_state
        torch.testing.assert_close(together, torch.cat(alone, 1))


@pytest.mark.parametrize("name", MIXING)
def test_rows_are_not_joined_where_layers_run_on_into_the_next(name: str) -> None:
    # Weights of the usual small size would hide most of what is seen of other rows.
    model = model_of(name, initializer_range=0.5)
    assert not keep_rows_apart(model, ROW_BY_ROW, 8)
    assert model.config._attn_implementation != ROW_BY_ROW
    assert f"template.packing: {name}ForCausalLM lets the rows" in str(packing_problem(model))


def test_an_attention_that_cannot_be_set_keeps_rows_padded() -> None:
    """Weights this small hide what rows see of each other, so it is the setting that tells."""
    sizes = {"vocab_size": 128, "n_embd": 32, "n_layer": 1, "n_head": 4, "rotary_dim": 4}
    model = transformers.AutoModelForCausalLM.from_config(transformers.CodeGenConfig(**sizes))
    assert not keep_rows_apart(model, ROW_BY_ROW, 8)
    assert model.config._attn_implementation != ROW_BY_ROW


def test_bf16_is_close_enough() -> None:
    assert head_problem(model_of("Granite").to(torch.bfloat16)) is None


def test_logits_of_an_unknown_kind_are_refused() -> None:
    model = model_of("Llama")
    own = model.forward

    def forward(**inputs: Any) -> Any:
        found = own(**inputs)
        found.logits = found.logits * 3 + 1
        return found

    model.forward = forward
    assert "LlamaForCausalLM computes its logits in a way" in str(head_problem(model))


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_broken_weights_are_not_blamed_on_the_architecture(broken: float) -> None:
    model = model_of("Llama")
    model.model.norm.weight.data[0] = broken
    assert head_problem(model) is None


def test_training_goes_on_as_it_was() -> None:
    model = model_of("Llama").train()
    before = torch.get_rng_state()
    head_problem(model)
    assert model.training and torch.equal(torch.get_rng_state(), before)
