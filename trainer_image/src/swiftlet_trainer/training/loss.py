"""Cross entropy on labelled positions only.

The head of a language model costs vocabulary x hidden multiplications per position and its logits are the largest
tensor of a step. Prompts and padding carry no label, so nothing is computed there; the rest is done in chunks, so that
memory does not grow with vocabulary x length.
"""

import types
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers.modeling_outputs import CausalLMOutput

from swiftlet_trainer.training.collate import IGNORED

CHUNK_BYTES = 256 << 20
"""fp32 logits of one chunk."""
BLOCK_BYTES = 8 << 20
"""fp32 logits that are worked on at once: they stay in a processor's cache."""
FLOAT_BYTES = 4
PROBE_TOKENS = 8
PROBE_TOLERANCE = 0.03
"""bf16 keeps 8 bits, so logits of two orders of computation agree to about 1 %; a missing factor is off by far more."""


def attach_labelled_loss(model: nn.Module) -> None:
    """Make `model(input_ids, labels=...)` return the summed loss of the labelled positions.

    model: a causal language model of transformers, before it is wrapped by PEFT, DDP or DeepSpeed: their hooks run on
    forward, so the loss must be part of it. `labels` are already shifted (see collate.Collator).
    """
    model.forward = types.MethodType(_forward, model)  # type: ignore[method-assign]


def _forward(
    self: Any,
    input_ids: torch.Tensor,
    labels: torch.Tensor,
    position_ids: torch.Tensor | None = None,
    **_unused: Any,
) -> CausalLMOutput:
    hidden = self.base_model(input_ids=input_ids, position_ids=position_ids, use_cache=False).last_hidden_state
    return CausalLMOutput(loss=labelled_loss(hidden, labels, logits_of(self)))


def logits_of(model: Any) -> "Logits":
    """How `model` gets from hidden states to logits, as its config tells."""
    config = model.config.get_text_config()
    divisor = getattr(config, "logits_scaling", None)
    return Logits(
        head=model.get_output_embeddings(),
        vocabulary=config.vocab_size,
        scale=1 / divisor if divisor else getattr(config, "logit_scale", None),
        softcap=getattr(config, "final_logit_softcapping", None),
    )


@torch.no_grad()
def head_problem(model: Any) -> str | None:
    """Why `logits_of` would teach this architecture something else than its own forward pass means, if it would.

    model: not yet wrapped, its weights whole. Architectures scale, cap or bias their logits each in their own way; one
    that `Logits` does not know would train without an error, and wrongly. Costs two passes over a few tokens.
    """
    tokens = torch.arange(PROBE_TOKENS).remainder(model.config.get_text_config().vocab_size).unsqueeze(0)
    training = model.training
    model.eval()
    own = model(input_ids=tokens, use_cache=False).logits.float()
    ours = logits_of(model)(model.base_model(input_ids=tokens, use_cache=False).last_hidden_state).float()
    model.train(training)
    if not own.isfinite().all():
        return None  # Broken weights say nothing of the architecture; the first step names them.
    if own.shape == ours.shape and torch.allclose(own, ours, rtol=PROBE_TOLERANCE, atol=PROBE_TOLERANCE):
        return None
    return (
        f"model: {type(model).__name__} computes its logits in a way that the trainer does not know, and would learn "
        "something else than it should; use another model, or report the architecture"
    )


@dataclass(frozen=True)
class Logits:
    """From hidden states to logits: in the head's precision, or in fp32 where they are scaled or capped."""

    head: nn.Module
    vocabulary: int
    scale: float | None = None
    """Factor that Cohere's models apply, and Granite's as a divisor."""
    softcap: float | None = None
    """Bound that Gemma 2 applies: softcap * tanh(logits / softcap)."""

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(hidden)
        logits = logits if self.scale is None else logits.float() * self.scale
        return logits if self.softcap is None else self.softcap * torch.tanh(logits.float() / self.softcap)


def labelled_loss(hidden: torch.Tensor, labels: torch.Tensor, logits: Logits) -> torch.Tensor:
    """Sum of -log p(label) over labelled positions, fp32 scalar, natural logarithm.

    hidden: (rows, length, hidden). labels: (rows, length), IGNORED where nothing is learnt. A batch without labels
    gives 0 with a gradient of 0.
    """
    labelled = labels.reshape(-1).ne(IGNORED).nonzero().squeeze(-1)
    hidden = hidden.reshape(-1, hidden.shape[-1]).index_select(0, labelled)
    targets = labels.reshape(-1).index_select(0, labelled)

    def summed(part: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        found = logits(part)
        if not found.requires_grad:
            return functional.cross_entropy(found.float(), target, reduction="sum")
        loss: torch.Tensor = _CrossEntropy.apply(found, target)  # type: ignore[no-untyped-call]
        return loss

    size = max(1, CHUNK_BYTES // (FLOAT_BYTES * logits.vocabulary))
    if len(labelled) <= size:
        return summed(hidden, targets)
    # Each chunk's logits are computed again in the backward pass, so only one chunk of them exists at a time.
    parts = zip(hidden.split(size), targets.split(size), strict=True)
    losses = [checkpoint(summed, part, target, use_reentrant=False) for part, target in parts]
    return torch.stack(losses).sum()


class _CrossEntropy(torch.autograd.Function):
    """Summed cross entropy that leaves its gradient where the logits were.

    What autograd would keep of it, the logits in fp32 and their logarithms, is several times what the logits take. The
    gradient, softmax(logits) - onehot(target), needs nothing but the logits, so it is computed with the loss, a block
    of positions at a time, and written over them: whoever made the logits must not need them again.
    """

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """logits: (positions, vocabulary), spent afterwards. target: (positions,). Returns an fp32 scalar."""
        size = max(1, BLOCK_BYTES // (FLOAT_BYTES * logits.shape[-1]))
        loss = logits.new_zeros((), dtype=torch.float32)
        for block, wanted in zip(logits.split(size), target.unsqueeze(-1).split(size), strict=True):
            gradient = functional.log_softmax(block, -1, dtype=torch.float32)
            loss -= gradient.gather(-1, wanted).sum()
            block.copy_(gradient.exp_().scatter_add_(-1, wanted, gradient.new_full(wanted.shape, -1.0)))
        ctx.save_for_backward(logits)
        return loss

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        (gradient,) = ctx.saved_tensors
        # In place: a second backward pass through the same loss is refused by autograd, as its graph is freed anyway.
        return gradient.mul_(grad), None
