"""RMS norms in one piece against the architectures' own."""

from typing import Any

import pytest
import torch
from swiftlet_trainer.training.norms import fuse_rms_norms
from torch import nn
from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.qwen3.modeling_qwen3 import Qwen3RMSNorm


def norm_of(kind: Any, dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(0)
    norm: nn.Module = kind(48, eps=1e-5).to(dtype)
    nn.init.normal_(norm.weight)
    return norm


def passed(norm: nn.Module, x: torch.Tensor, grad: torch.Tensor) -> tuple[torch.Tensor, ...]:
    x = x.clone().requires_grad_()
    y = norm(x)
    return y.detach(), *torch.autograd.grad(y, (x, norm.weight), grad)


@pytest.mark.parametrize("kind", [LlamaRMSNorm, Qwen3RMSNorm])
def test_values_and_gradients_are_those_of_the_architectures_own(kind: Any) -> None:
    norm = norm_of(kind, torch.float32)
    x, grad = torch.randn(2, 7, 48) * 5, torch.randn(2, 7, 48)
    expected = passed(norm, x, grad)
    assert fuse_rms_norms(norm) == 1
    for one, other in zip(passed(norm, x, grad), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_in_bf16_they_are_as_near_to_fp32() -> None:
    norm = norm_of(LlamaRMSNorm, torch.bfloat16)
    x, grad = torch.randn(2, 200, 48).bfloat16() * 5, torch.randn(2, 200, 48).bfloat16()
    own = passed(norm, x, grad)
    assert fuse_rms_norms(norm) == 1
    ours = passed(norm, x, grad)
    exact = passed(norm.float(), x.float(), grad.float())
    for one, other, wanted in zip(ours, own, exact, strict=True):
        assert one.dtype == torch.bfloat16
        assert (one.float() - wanted).norm() <= 1.05 * (other.float() - wanted).norm()


def test_the_input_is_left_as_it_was() -> None:
    norm = norm_of(LlamaRMSNorm, torch.float32)
    fuse_rms_norms(norm)
    x = torch.randn(3, 48, requires_grad=True)
    before = x.detach().clone()
    norm(x).sum().backward()
    assert torch.equal(x, before)


def test_norms_of_another_kind_keep_their_own() -> None:
    """Gemma's weights are counted from 1."""
    assert fuse_rms_norms(norm_of(GemmaRMSNorm, torch.float32)) == 0
    assert fuse_rms_norms(nn.LayerNorm(48)) == 0


def test_norms_of_a_model(tiny: Any) -> None:
    assert fuse_rms_norms(tiny) == 5, "two in each of two layers, and the last"
