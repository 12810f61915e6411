"""RMS norms, each computed in one piece.

Architectures write them as half a dozen operators, and autograd has a dozen more on the way back, each of which reads
and writes all hidden states. y = w x / sqrt(mean(x^2) + eps) (Zhang and Sennrich 2019, arXiv:1910.07467, equation 4).
"""

import types
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from swiftlet_trainer.parallel.shards import whole

EPSILONS = ("variance_epsilon", "eps", "epsilon")
"""What architectures call it."""
PROBE_ROWS = 4
TOLERANCE = 0.02
"""bf16 keeps 8 bits; a norm of another kind, such as one whose weights are counted from 1, is off by far more."""


@torch.no_grad()
def fuse_rms_norms(model: nn.Module) -> int:
    """Compute those norms of `model` in one piece that mean the same then; how many they are.

    Whether a module is such a norm is found by trying it. A norm's weight is its own, and ZeRO-3 gathers it in its pass
    as before.
    """
    found = [(module, epsilon) for module in model.modules() if (epsilon := _epsilon(module)) is not None]
    with whole(module.weight for module, _ in found):
        same = [(module, epsilon) for module, epsilon in found if _means_the_same(module, epsilon)]
    for module, epsilon in same:
        module.forward = types.MethodType(_forward_with(epsilon), module)
    return len(same)


def _epsilon(module: Any) -> float | None:
    """Of a module that may be an RMS norm; None for others."""
    if not type(module).__name__.endswith("RMSNorm") or getattr(module, "weight", None) is None:
        return None
    return next((value for name in EPSILONS if isinstance(value := getattr(module, name, None), float)), None)


def _means_the_same(module: Any, epsilon: float) -> bool:
    weight = module.weight
    if weight.dim() != 1 or len(list(module.parameters())) > 1:
        return False
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, PROBE_ROWS, len(weight), generator=generator).to(weight)
    own, ours = module(x), _RmsNorm.apply(x, weight, epsilon)  # type: ignore[no-untyped-call]
    return own.dtype == ours.dtype and torch.allclose(own, ours, rtol=TOLERANCE, atol=TOLERANCE * 1e-2, equal_nan=True)


def _forward_with(epsilon: float) -> Any:
    def forward(self: Any, hidden_states: torch.Tensor) -> torch.Tensor:
        normed: torch.Tensor = _RmsNorm.apply(hidden_states, self.weight, epsilon)  # type: ignore[no-untyped-call]
        return normed

    return forward


class _RmsNorm(torch.autograd.Function):
    """x: (..., hidden). weight: (hidden,). Computed in fp32, and rounded to x's precision before the weight."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        # A copy also where x is fp32, since it is worked on in place.
        normed = x.to(torch.float32, copy=True)
        scale = (
            torch.linalg.vector_norm(normed, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()
        )
        ctx.save_for_backward(x, scale, weight)
        return normed.mul_(scale).to(x.dtype).mul_(weight)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None]:
        x, scale, weight = ctx.saved_tensors
        normed = x.to(torch.float32, copy=True).mul_(scale)
        grad_weight = None
        if ctx.needs_input_grad[1]:
            grad_weight = (grad * normed).flatten(0, -2).sum(0).to(weight.dtype)
        inner = (grad * weight).float()
        along = torch.linalg.vecdot(inner, normed).unsqueeze(-1).div_(-x.shape[-1])
        return inner.addcmul_(normed, along).mul_(scale).to(x.dtype), grad_weight, None
