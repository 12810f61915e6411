"""LoRA in one piece computes what PEFT's layers compute."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from swiftlet_trainer.hardware import multiplies_bf16
from swiftlet_trainer.tasks.sft.loss import nll
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.heads.tokens import attach_token_scores
from swiftlet_trainer.tuners.fused_lora import fuse_lora


def tuned(**settings: Any) -> Any:
    """A small network with adapters whose weights are not zero; its second layer has a bias."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    layers = [torch.nn.Linear(12, 20, bias=False), torch.nn.Tanh(), torch.nn.Linear(20, 7)]
    config = LoraConfig(r=4, lora_alpha=6, target_modules=["0", "2"], **{"init_lora_weights": False, **settings})
    return get_peft_model(torch.nn.Sequential(*layers), config)


def results(model: Any, x: torch.Tensor) -> list[torch.Tensor]:
    """Output, gradient of the input where it has one, gradients of the adapters."""
    model.zero_grad()
    x = x.detach().clone().requires_grad_(x.requires_grad)
    out = model(x)
    out.float().square().sum().backward()
    grads = [parameter.grad.clone() for parameter in model.parameters() if parameter.requires_grad]
    return [out.detach(), *([x.grad] if x.grad is not None else []), *grads]


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("asks", [True, False], ids=["inner layer", "first layer"])
def test_output_and_gradients_are_those_of_peft(asks: bool, dropout: float) -> None:
    model = tuned(lora_dropout=dropout)
    x = torch.randn(2, 5, 12, requires_grad=asks)
    torch.manual_seed(1)  # what is dropped is the same then
    expected = results(model, x)
    assert fuse_lora(model) == 2
    torch.manual_seed(1)
    found = results(model, x)
    assert len(found) == 5 + asks
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_bf16_is_as_near_to_fp32_as_peft_is() -> None:
    exact = tuned()
    x = torch.randn(64, 12, requires_grad=True)
    wanted = results(exact, x)
    rounded = copy.deepcopy(exact).to(torch.bfloat16)
    plain = results(rounded, x.detach().bfloat16().requires_grad_())
    fuse_lora(rounded)
    found = results(rounded, x.detach().bfloat16().requires_grad_())

    def error(parts: list[torch.Tensor]) -> float:
        pairs = zip(parts, wanted, strict=True)
        return sum(float((part.float() - other).norm() / other.norm()) for part, other in pairs)

    assert error(found) < 1.1 * error(plain)


def test_nothing_is_dropped_outside_of_training() -> None:
    model = tuned(lora_dropout=0.4).eval()
    x = torch.randn(3, 12)
    expected = model(x)
    fuse_lora(model)
    torch.testing.assert_close(model(x), expected, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(model.train()(x), expected)


def test_adapters_can_be_switched_off_and_merged() -> None:
    model = tuned()
    x = torch.randn(3, 12)
    with model.disable_adapter():
        base = model(x)
    adapted = model(x)
    fuse_lora(model)
    with model.disable_adapter():
        assert torch.equal(model(x), base)
    model.merge_adapter()
    torch.testing.assert_close(model(x), adapted, rtol=1e-5, atol=1e-5)
    model.unmerge_adapter()
    torch.testing.assert_close(model(x), adapted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("settings", [{"use_dora": True}, {"lora_bias": True}])
def test_what_comes_between_base_and_adapter_keeps_pefts_layers(settings: dict[str, Any]) -> None:
    assert fuse_lora(tuned(**settings)) == 0


def test_loss_and_gradients_of_the_real_model(smollm2: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(smollm2, dtype=torch.float32, attn_implementation="sdpa")
    attach_token_scores(base)
    adapter = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    model: Any = get_peft_model(base, adapter).train()
    tokens = torch.randint(3, 49000, (40,), generator=torch.Generator().manual_seed(1)).tolist()
    batch = Collator(2)([{"input_ids": tokens, "labels": [-100] * 20 + tokens[20:]}])["inputs"]

    def step() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        model.zero_grad(set_to_none=True)
        loss = nll(model(**batch))
        loss.backward()
        return loss, {name: one.grad.clone() for name, one in model.named_parameters() if one.requires_grad}

    loss, gradients = step()
    assert fuse_lora(model) == 210
    again, found = step()
    torch.testing.assert_close(again, loss, rtol=1e-5, atol=1e-5)
    for name, gradient in found.items():
        wanted = gradients[name]
        torch.testing.assert_close(gradient, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))


@pytest.mark.skipif(not multiplies_bf16(False), reason="this CPU does not multiply bf16")
def test_in_bf16_young_adapters_have_their_effect(smollm2: Path) -> None:
    """Of the size that a first step of 1e-4 gives them. Added to a base that is rounded, nine tenths would be lost."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(smollm2, dtype=torch.bfloat16, attn_implementation="sdpa")
    model: Any = get_peft_model(base, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear")).to(torch.bfloat16)
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(3, 49000, (4, 64), generator=generator)

    def loss(of: Any) -> float:
        with torch.no_grad():
            return float(of(input_ids=tokens, labels=tokens).loss)

    exact = copy.deepcopy(model).float()
    fuse_lora(model)
    before = loss(exact), loss(model)
    exact(input_ids=tokens, labels=tokens).loss.backward()
    for (name, one), (_, other) in zip(exact.named_parameters(), model.named_parameters(), strict=True):
        if "lora_B" in name and one.grad is not None:
            one.data.copy_(-1e-4 * one.grad.sign())
            other.data.copy_(one.data)
    wanted, found = before[0] - loss(exact), before[1] - loss(model)
    assert wanted > 0.02
    assert found == pytest.approx(wanted, rel=0.3)
