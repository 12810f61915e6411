"""Noise on embeddings while rows are learnt, so that answers are not learnt by heart.

Source: NEFTune, arXiv:2310.05914, algorithm 1, and transformers' neftune_post_forward_hook.
"""

from typing import Any

import torch

from swiftlet_trainer.training.collate import tokens_of


def add_noise(model: Any, alpha: float) -> None:
    """Have `model` add uniform noise within alpha / sqrt(length x width) to what it embeds, in training mode alone.

    model: with a head of training.heads, which is told the `bounds` of sequences, see collate.Collator: the length is a
    sequence's own, wherever it lies in a batch. transformers takes the width of the padded batch.
    """
    told: dict[str, torch.Tensor] = {}

    def note(_model: Any, _args: Any, named: dict[str, Any]) -> None:
        told["bounds"] = named["bounds"]

    def disturb(module: Any, _args: Any, embedded: torch.Tensor) -> torch.Tensor:
        if not module.training:
            return embedded
        reach = _reach(told["bounds"], embedded.shape[0] * embedded.shape[1], alpha, embedded.shape[-1])
        noise = torch.empty_like(embedded).uniform_(-1, 1)
        return embedded + noise * reach.view(*embedded.shape[:2], 1).to(embedded.dtype)

    model.register_forward_pre_hook(note, with_kwargs=True)
    model.get_input_embeddings().register_forward_hook(disturb)


def _reach(bounds: torch.Tensor, positions: int, alpha: float, width: int) -> torch.Tensor:
    """How far the noise of each position reaches, fp32, (positions,); 0 where no sequence is."""
    reach = alpha / (bounds.diff().squeeze(-1) * width).float().sqrt()
    sequence, place = tokens_of(bounds)
    return reach.new_zeros(positions).index_put((bounds[sequence, 0] + place,), reach[sequence])
