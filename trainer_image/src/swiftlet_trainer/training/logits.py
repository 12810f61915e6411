"""From hidden states to logits, as each architecture has it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from swiftlet_trainer.training.probe import probe_tokens

PROBE_TOKENS = 8
PROBE_TOLERANCE = {torch.float32: 1e-3}
ROUNDED_TOLERANCE = 0.03
"""bf16 keeps 8 bits, so logits of two orders of computation agree to about 1 %; a missing factor is off by far more."""


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
def is_understood(model: Any) -> bool:
    """Whether `logits_of` makes of the backbone's hidden states what the model's own forward pass makes.

    model: not wrapped, its weights whole. Architectures scale, cap or bias their logits each in their own way. Two
    passes over a few tokens. Broken weights say nothing of the architecture: whoever uses the logits names them.
    """
    if model.get_output_embeddings() is None or model.base_model is model:
        return False
    tokens = probe_tokens(model, PROBE_TOKENS)
    training = model.training
    model.eval()
    own = model(input_ids=tokens, use_cache=False).logits.float()
    ours = logits_of(model)(model.base_model(input_ids=tokens, use_cache=False).last_hidden_state).float()
    model.train(training)
    return agree(own, ours, model.dtype)


def agree(own: torch.Tensor, ours: torch.Tensor, dtype: torch.dtype) -> bool:
    """Whether `ours` is what a model of `dtype` makes itself of a probe: also where its weights are broken, which say
    nothing of its architecture."""
    tolerance = PROBE_TOLERANCE.get(dtype, ROUNDED_TOLERANCE)
    same = own.shape == ours.shape and torch.allclose(own, ours, rtol=tolerance, atol=tolerance)
    return same or not bool(own.isfinite().all())


def head_problem(model: Any) -> str | None:
    """Why scores of tokens would teach this architecture something else than it means, without an error, if so.

    model: see is_understood.
    """
    if is_understood(model):
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
