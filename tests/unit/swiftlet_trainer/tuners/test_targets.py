"""Which layers all-linear means, by architecture; and every class of targets, trained for a step."""

import copy
import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from swiftlet.api.v1alpha1.tuner import Full, Lora, Tuner
from swiftlet_trainer.models.saving import save_weights
from swiftlet_trainer.tasks.sft.loss import nll
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.heads.tokens import attach_token_scores
from swiftlet_trainer.tuners.apply import apply_tuner
from swiftlet_trainer.tuners.fused_lora import fuse_lora
from swiftlet_trainer.tuners.targets import target_modules
from torch.nn import functional

SMALL = {
    "vocab_size": 128,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
EXPERTS = {"moe_intermediate_size": 24, "num_experts": 4, "num_experts_per_tok": 2}
ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"}
MLP = {"gate_proj", "up_proj", "down_proj"}
ALL_LINEAR: dict[str, tuple[dict[str, Any], set[str]]] = {
    "Llama": ({}, ATTENTION | MLP),
    "GPT2": ({}, {"c_attn", "c_proj", "c_fc"}),
    "Mixtral": ({"num_local_experts": 4}, ATTENTION),
    "Qwen2Moe": ({**EXPERTS, "shared_expert_intermediate_size": 24}, ATTENTION | MLP),
    "Qwen3Moe": (EXPERTS, ATTENTION),
    "GptOss": ({"num_local_experts": 4}, ATTENTION),
    "Jamba": ({"num_experts": 4, "use_mamba_kernels": False, "attn_layer_period": 2, "attn_layer_offset": 1}, set()),
}


def of(name: str, **settings: Any) -> Any:
    config = getattr(transformers, f"{name}Config")(**{**SMALL, **settings})
    torch.manual_seed(0)
    return transformers.AutoModelForCausalLM.from_config(config)


def gemma3() -> Any:
    """A model of text and pictures that AutoModelForCausalLM opens."""
    vision = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 2}
    config = transformers.Gemma3Config(
        text_config=SMALL, vision_config={**vision, "image_size": 28, "patch_size": 14}, mm_tokens_per_image=4
    )
    torch.manual_seed(0)
    return transformers.AutoModelForCausalLM.from_config(config)


@pytest.mark.parametrize("name", ALL_LINEAR)
def test_all_linear_leaves_head_routers_and_experts_alone(name: str) -> None:
    settings, expected = ALL_LINEAR[name]
    model = of(name, **settings)
    found = target_modules(model, Lora())
    assert not [one for one in found if ".experts." in one or one.endswith(("router", ".gate", "_gate", "lm_head"))]
    assert {one.rsplit(".", 1)[-1] for one in found} >= expected
    if expected:
        assert {one.rsplit(".", 1)[-1] for one in found} == expected
    tuned = apply_tuner(model, Tuner(lora=Lora(rank=2)), seed=1)
    adapted = {one.partition(".lora_")[0] for one, weight in tuned.named_parameters() if weight.requires_grad}
    assert adapted == {f"base_model.model.{one}" for one in found}


def test_text_trains_the_language_model_alone() -> None:
    def trained(tuner: Tuner) -> set[str]:
        model = apply_tuner(gemma3(), tuner, seed=1)
        return {name.removeprefix("base_model.model.") for name, one in model.named_parameters() if one.requires_grad}

    for tuner in (Tuner(lora=Lora(rank=2)), Tuner(full=Full())):
        assert all(name.startswith("model.language_model.") for name in trained(tuner))
    named = trained(Tuner(lora=Lora(rank=2, target_modules=["model.vision_tower.encoder.layers.0.mlp.fc1", "q_proj"])))
    assert any("vision_tower" in name for name in named), "asked for by name"


CLASSES = {
    "head": ["lm_head"],
    "attention": ["q_proj", "o_proj"],
    "mlp": ["gate_proj", "down_proj"],
    "embeddings": ["embed_tokens"],
    "head and embeddings": ["lm_head", "embed_tokens", "q_proj"],
}
WAYS: dict[str, dict[str, Any]] = {"plain": {}, "dropout": {"dropout": 0.3}, "DoRA": {"use_dora": True}}


@pytest.mark.parametrize(
    ("targets", "tied", "way"),
    itertools.product(CLASSES.values(), [True, False], WAYS.values()),
    ids=[" ".join(ids) for ids in itertools.product(CLASSES, ["tied", "untied"], WAYS)],
)
def test_a_step_has_pefts_gradients_and_its_artifact_opens(
    targets: list[str], tied: bool, way: dict[str, Any], tmp_path: Path
) -> None:
    base = of("Llama", tie_word_embeddings=tied)
    base.save_pretrained(tmp_path / "base")
    tuner = Tuner(lora=Lora(rank=4, target_modules=targets, **way))
    plain = apply_tuner(copy.deepcopy(base), tuner, seed=1)
    attach_token_scores(base)
    ours = apply_tuner(base, tuner, seed=1)
    for model in (plain, ours):
        torch.manual_seed(2)
        for name, weight in model.named_parameters():
            if "lora_B" in name or "lora_embedding" in name:
                torch.nn.init.normal_(weight, std=0.1)
    fuse_lora(ours)
    tokens = torch.randint(3, 128, (24,)).tolist()
    batch = Collator(pad_token_id=0)([{"input_ids": tokens, "labels": [-100] * 8 + tokens[8:]}])["inputs"]
    with torch.no_grad():
        answered = plain.eval()(input_ids=batch["input_ids"]).logits
    plain.train()

    torch.manual_seed(3)
    if way.get("dropout"):  # what is dropped depends on what the head is given
        attach_token_scores(plain.get_base_model())
        wanted = nll(plain(**batch))
    else:
        logits = plain(input_ids=batch["input_ids"]).logits
        wanted = functional.cross_entropy(logits[0], batch["labels"][0], reduction="sum")
    wanted.backward()
    torch.manual_seed(3)
    loss = nll(ours(**batch))
    loss.backward()
    torch.testing.assert_close(loss, wanted, rtol=1e-5, atol=1e-4)
    gradients = {name: one.grad for name, one in plain.named_parameters() if one.requires_grad}
    assert gradients
    for name, one in ours.named_parameters():
        if one.requires_grad:
            torch.testing.assert_close(one.grad, gradients[name], rtol=1e-4, atol=1e-4)

    save_weights(ours, tmp_path / "artifact")
    opened = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    from peft import PeftModel

    again = PeftModel.from_pretrained(opened, tmp_path / "artifact").eval()
    with torch.no_grad():
        torch.testing.assert_close(again(input_ids=batch["input_ids"]).logits, answered)
    assert (tmp_path / "artifact/adapter_model.safetensors").stat().st_size < 100_000, "adapters, not embeddings"
