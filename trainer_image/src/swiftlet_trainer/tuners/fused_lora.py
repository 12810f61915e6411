"""LoRA's linear layers, each computed in one piece.

PEFT computes the base, the adapter, its scale and their sum one by one, and each is a tensor as wide as the output.
Here the base's product is added to the adapter's where that lies, and the scale is applied where things are only `rank`
wide, so the output is written twice and not four times. What is computed is the same:
y = x W' + b + s (d(x) A') B' (Hu et al. 2021, arXiv:2106.09685, section 4.1), where d is dropout.

The order matters in bf16. A base that is rounded first lies on a grid, and what a young adapter adds is less than half
a step of it: it would be lost, and with it most of what is learnt at the beginning. Matrix products sum up in fp32, so
adapter first, base on top is rounded once, and of many small additions the right share gets over the edge.
"""

import types
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from swiftlet_trainer.parallel.shards import is_sharded, read_by


def fuse_lora(model: nn.Module) -> int:
    """Compute the LoRA layers of `model` in one piece; how many they are.

    model: a PeftModel. Layers with magnitudes (DoRA) or a bias in the adapter, and those whose base is no plain linear
    layer or is trained too, stay as they are. Under ZeRO-3, before the engine is made: weights are used without the
    modules whose passes would gather them, so the layer's own pass has to.
    """
    from peft.tuners.lora.layer import Linear

    layers = [module for module in model.modules() if isinstance(module, Linear) and _is_plain(module)]
    for layer in layers:
        layer.forward = types.MethodType(_forward, layer)
        if is_sharded(layer.base_layer.weight):
            read_by(layer, _weights(layer))
    return len(layers)


def _weights(layer: Any) -> list[torch.Tensor]:
    """All that its pass reads: of the base and of the adapter."""
    name, base = layer.active_adapters[0], layer.base_layer
    return [*base.parameters(), layer.lora_A[name].weight, layer.lora_B[name].weight]


def _is_plain(layer: Any) -> bool:
    names = layer.active_adapters
    return (
        type(layer.base_layer) is nn.Linear
        and not any(weight.requires_grad for weight in layer.base_layer.parameters())
        and len(names) == 1
        and not layer.lora_variant
        and layer.lora_B[names[0]].bias is None
    )


def _forward(self: Any, x: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
    if self.disable_adapters or self.merged:
        plain: torch.Tensor = type(self).forward(self, x, *args, **options)
        return plain
    name, base = self.active_adapters[0], self.base_layer
    dropout = self.lora_dropout[name]
    dropped = dropout(x) if self.training and not isinstance(dropout, nn.Identity) else None
    adapted: torch.Tensor = _Lora.apply(  # type: ignore[no-untyped-call]
        x, dropped, base.weight, base.bias, self.lora_A[name].weight, self.lora_B[name].weight, self.scaling[name]
    )
    return adapted


class _Lora(torch.autograd.Function):
    """x: (..., in). dropped: what the adapter sees of it, None when that is all. weight: (out, in), frozen as the bias
    is. down: (rank, in). up: (out, rank)."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        dropped: torch.Tensor | None,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        down: torch.Tensor,
        up: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1])
        seen = flat if dropped is None else dropped.reshape(flat.shape)
        inner = torch.mm(seen, down.t()).mul_(scale)
        # No view is handed out: whoever gets logits may write over them.
        whole = x.new_empty(*x.shape[:-1], len(up))
        out = torch.mm(inner, up.t(), out=whole.view(-1, len(up))).addmm_(flat, weight.t())
        if bias is not None:
            out += bias
        ctx.save_for_backward(seen, inner, weight, down, up)
        ctx.scale, ctx.shape, ctx.drops = scale, x.shape, dropped is not None
        return whole

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        seen, inner, weight, down, up = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1])
        grad_inner = torch.mm(grad, up).mul_(ctx.scale)
        grad_x = grad_dropped = None
        if ctx.needs_input_grad[0]:
            through = torch.mm(grad_inner, down)
            if ctx.drops:
                grad_x, grad_dropped = torch.mm(grad, weight).view(ctx.shape), through.view(ctx.shape)
            else:
                grad_x = through.addmm_(grad, weight).view(ctx.shape)
        return grad_x, grad_dropped, None, None, torch.mm(grad_inner.t(), seen), torch.mm(grad.t(), inner), None
