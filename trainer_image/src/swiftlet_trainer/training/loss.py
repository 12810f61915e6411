"""Cross entropy on labelled positions only.

The head of a language model costs vocabulary x hidden multiplications per position and its logits are the largest
tensor of a step. Prompts and padding carry no label, so nothing is computed there; the rest is done in chunks, so that
memory does not grow with vocabulary x length.
"""

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers.utils import ModelOutput

from swiftlet_trainer.hardware import has_c_compiler
from swiftlet_trainer.training.collate import IGNORED
from swiftlet_trainer.training.logits import Logits, logits_of

CHUNK_BYTES = {"cpu": 256 << 20}
"""fp32 logits of one chunk, by the type of device. Others want larger matrix products than a CPU."""
ACCELERATOR_CHUNK_BYTES = 1 << 30
BLOCK_BYTES = 8 << 20
"""fp32 logits that a CPU works on at once: they stay in its cache."""
FLOAT_BYTES = 4
TILE = 128
"""Positions that a matrix product computes at a time; what is left over costs as much as a whole tile."""


@dataclass
class LabelledOutput(ModelOutput):  # type: ignore[misc]
    """What a forward pass returns."""

    loss: torch.Tensor | None = None
    """Summed over labelled positions, fp32 scalar, in nats."""
    token_metrics: torch.Tensor | None = None
    """The entropies of the predictions at labelled positions, in nats, summed; and how many of the labels were the
    likeliest tokens. fp32, shape (2,), without a gradient; None where they are not asked for."""


def attach_labelled_loss(model: nn.Module, token_metrics: bool = False) -> None:
    """Make `model(input_ids, labels=...)` return the summed loss of the labelled positions, as a LabelledOutput.

    model: a causal language model of transformers, before it is wrapped by PEFT, DDP or DeepSpeed: their hooks run on
    forward, so the loss must be part of it. `labels` are already shifted (see collate.Collator).
    """

    def forward(
        self: Any,
        input_ids: torch.Tensor,
        labels: torch.Tensor,
        position_ids: torch.Tensor | None = None,
        cu_seq_lens_q: torch.Tensor | None = None,
        max_length_q: int | None = None,
        **_unused: Any,
    ) -> LabelledOutput:
        bounds = {} if cu_seq_lens_q is None else {"cu_seq_lens_q": cu_seq_lens_q, "max_length_q": max_length_q}
        passed = self.base_model(input_ids=input_ids, position_ids=position_ids, use_cache=False, **bounds)
        hidden = passed.last_hidden_state
        return labelled_loss(hidden, labels, logits_of(self), token_metrics)

    model.forward = types.MethodType(forward, model)  # type: ignore[method-assign]


def labelled_loss(
    hidden: torch.Tensor, labels: torch.Tensor, logits: Logits, token_metrics: bool = False
) -> LabelledOutput:
    """Sum of -log p(label) over labelled positions; and what else is known of the predictions there, if asked for.

    hidden: (rows, length, hidden). labels: (rows, length), IGNORED where nothing is learnt. A batch without labels
    gives 0 with a gradient of 0.
    """
    labelled = labels.reshape(-1).ne(IGNORED).nonzero().squeeze(-1)
    hidden = hidden.reshape(-1, hidden.shape[-1]).index_select(0, labelled)
    targets = labels.reshape(-1).index_select(0, labelled)

    def summed(part: torch.Tensor, target: torch.Tensor, last: bool = False) -> Sums:
        found = logits(part)
        if not found.requires_grad:
            return functional.cross_entropy(found.float(), target, reduction="sum"), None
        sums: Sums = _CrossEntropy.apply(found, target, token_metrics, last)  # type: ignore[no-untyped-call]
        return sums

    size = _positions(chunk_bytes(hidden.device), logits.vocabulary)
    weights = list(logits.head.parameters())
    # ZeRO-3 takes weights away between the passes, and with them the shape of a gradient that is handed on later.
    if torch.is_grad_enabled() and not any(hasattr(weight, "ds_id") for weight in weights):
        trained = [weight for weight in weights if weight.requires_grad]
        sums: Sums = _GradientAtOnce.apply(summed, size, hidden, targets, *trained)  # type: ignore[no-untyped-call]
        return LabelledOutput(*sums)
    return LabelledOutput(*_checkpointed(summed, size, hidden, targets))


def chunk_bytes(device: torch.device) -> int:
    """Bytes of the fp32 logits that exist at once on `device`."""
    return CHUNK_BYTES.get(device.type, ACCELERATOR_CHUNK_BYTES)


def _positions(limit: int, vocabulary: int) -> int:
    """How many positions' logits take `limit` bytes: whole tiles of a matrix product."""
    found = max(1, limit // (FLOAT_BYTES * vocabulary))
    return found // TILE * TILE or found


Sums = tuple[torch.Tensor, torch.Tensor | None]
"""LabelledOutput's parts."""
Summed = Callable[..., Sums]
"""From hidden states, (positions, hidden), and targets, (positions,); `last`: nothing is computed from the loss."""


def _checkpointed(summed: Summed, size: int, hidden: torch.Tensor, targets: torch.Tensor) -> Sums:
    """`size` positions at a time. Their logits are computed again in the backward pass, so few exist at a time."""
    parts = list(zip(hidden.split(size), targets.split(size), strict=True))
    if len(parts) == 1:
        return summed(*parts[0])
    losses, metrics = zip(*(checkpoint(summed, *part, use_reentrant=False) for part in parts), strict=True)
    return torch.stack(losses).sum(), None if metrics[0] is None else torch.stack(metrics).sum(0)


class _GradientAtOnce(torch.autograd.Function):
    """`size` positions at a time, each time with the gradient: logits are computed once, and few exist at a time.

    The loss is the end of the graph, so its gradient is known but for a factor, which the backward pass brings. Source:
    Liger Kernel, arXiv:2410.10989, section 3.2, FusedLinearCrossEntropy.
    """

    @staticmethod
    def forward(
        ctx: Any, summed: Summed, size: int, hidden: torch.Tensor, targets: torch.Tensor, *weights: torch.Tensor
    ) -> Sums:
        """weights: what of the head is trained."""
        of_hidden, of_weights = torch.empty_like(hidden), [torch.zeros_like(weight) for weight in weights]
        found = []
        for part, target, gradient in zip(*(whole.split(size) for whole in (hidden, targets, of_hidden)), strict=True):
            with torch.enable_grad():
                leaf = part.detach().requires_grad_()
                found.append(summed(leaf, target, last=True))
            own, *shared = torch.autograd.grad(found[-1][0], (leaf, *weights))
            gradient.copy_(own)
            for whole, more in zip(of_weights, shared, strict=True):
                whole += more
        ctx.save_for_backward(of_hidden, *of_weights)
        losses, metrics = zip(*found, strict=True)
        total = None if metrics[0] is None else torch.stack(metrics).sum(0)
        if total is not None:
            ctx.mark_non_differentiable(total)
        return torch.stack(losses).sum(), total

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: torch.Tensor, _metrics: None) -> tuple[torch.Tensor | None, ...]:
        # In place: a second backward pass through the same loss is refused by autograd, as its graph is freed anyway.
        of_hidden, *of_weights = [gradient.mul_(grad) for gradient in ctx.saved_tensors]
        return (None, None, of_hidden, None, *of_weights)


class _CrossEntropy(torch.autograd.Function):
    """Summed cross entropy that leaves its gradient where the logits were.

    What autograd would keep of it, the logits in fp32 and their logarithms, is several times what the logits take. The
    gradient, softmax(logits) - onehot(target), needs nothing but the logits, so it is computed with the loss, a block
    of positions at a time, and written over them: whoever made the logits must not need them again.
    """

    @staticmethod
    def forward(
        ctx: Any, logits: torch.Tensor, target: torch.Tensor, token_metrics: bool, last: bool
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """logits: (positions, vocabulary), spent afterwards. target: (positions,). last: the gradient that comes back
        is 1. Returns LabelledOutput's parts."""
        ctx.last = last
        if logits.is_cuda and has_c_compiler():
            from swiftlet_trainer.training.cross_entropy import cross_entropy_

            loss, metrics = cross_entropy_(logits, target, token_metrics)
        else:
            loss, metrics = _CrossEntropy._in_blocks(logits, target, token_metrics)
        ctx.save_for_backward(logits)
        if metrics is not None:
            ctx.mark_non_differentiable(metrics)
        return loss, metrics

    @staticmethod
    def _in_blocks(
        logits: torch.Tensor, target: torch.Tensor, token_metrics: bool
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        size = len(logits) if logits.is_cuda else max(1, BLOCK_BYTES // (FLOAT_BYTES * logits.shape[-1]))
        loss = logits.new_zeros((), dtype=torch.float32)
        metrics = logits.new_zeros(2, dtype=torch.float32) if token_metrics else None
        for block, wanted in zip(logits.split(size), target.unsqueeze(-1).split(size), strict=True):
            gradient = functional.log_softmax(block, -1, dtype=torch.float32)
            loss -= gradient.gather(-1, wanted).sum()
            likeliest = gradient.argmax(-1, keepdim=True) if token_metrics else None
            gradient.exp_()
            if metrics is not None:
                metrics[0] += torch.special.entr(gradient).sum()
                metrics[1] += wanted.eq(likeliest).sum()
            block.copy_(gradient.scatter_add_(-1, wanted, gradient.new_full(wanted.shape, -1.0)))
        return loss, metrics

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: torch.Tensor, _metrics: None) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient if ctx.last else gradient.mul_(grad), None, None, None
