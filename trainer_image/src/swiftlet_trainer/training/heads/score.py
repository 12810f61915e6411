"""Scores of sequences: a linear layer on the hidden state of each one's last token, as transformers'
*ForSequenceClassification have it, on batches of any layout."""

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers.utils import ModelOutput

from swiftlet_trainer.training.heads.backbone import hidden_states
from swiftlet_trainer.training.logits import PROBE_TOKENS, agree
from swiftlet_trainer.training.probe import probe_tokens


@dataclass
class SequenceScores(ModelOutput):  # type: ignore[misc]
    """What a forward pass returns."""

    scores: torch.Tensor
    """fp32, (sequences, labels)."""


ScoresOf = Callable[[Any, torch.Tensor], torch.Tensor]
"""From a model and the hidden states of the sequences' last tokens, (sequences, hidden size), to scores, fp32."""


def by_layer(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Scores by the layer that a *ForSequenceClassification of transformers has for them."""
    scores: torch.Tensor = model.score(hidden).float()
    return scores


def attach_scores(model: nn.Module, scores_of: ScoresOf = by_layer) -> None:
    """Make `model(input_ids, bounds=...)` return the scores of the batch's sequences, as SequenceScores.

    model: of transformers, before it is wrapped by PEFT, DDP or DeepSpeed. bounds: where each sequence begins and ends,
    see collate.Collator.
    """

    def forward(
        self: Any,
        input_ids: torch.Tensor,
        bounds: torch.Tensor,
        position_ids: torch.Tensor | None = None,
        cu_seq_lens_q: torch.Tensor | None = None,
        max_length_q: int | None = None,
        **_unused: Any,
    ) -> SequenceScores:
        hidden = hidden_states(self.base_model, input_ids, position_ids, cu_seq_lens_q, max_length_q)
        return SequenceScores(scores_of(self, hidden.index_select(0, bounds[:, 1] - 1)))

    model.forward = types.MethodType(forward, model)  # type: ignore[method-assign]


@torch.no_grad()
def score_problem(model: Any) -> str | None:
    """Why scores of the last tokens would not be those that this architecture gives, if they would not.

    model: not wrapped, its weights whole, its forward pass transformers' own and without a pad token.
    """
    if isinstance(getattr(model, "score", None), nn.Linear) and model.base_model is not model:
        tokens, training = probe_tokens(model, PROBE_TOKENS), model.training
        model.eval()
        own = model(input_ids=tokens, use_cache=False).logits.float()
        ours = model.score(hidden_states(model.base_model, tokens)[-1:]).float()
        model.train(training)
        if agree(own, ours, model.dtype):
            return None
    return (
        f"model: {type(model).__name__} scores texts in a way that the trainer does not know, and would learn something"
        " else than it should; use another model, or report the architecture"
    )
