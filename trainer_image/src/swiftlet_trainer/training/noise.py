"""Noise on embeddings while rows are learnt, so that answers are not learnt by heart.

Source: NEFTune, arXiv:2310.05914, algorithm 1, and transformers' neftune_post_forward_hook.
"""

from typing import Any

import torch


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
    lengths = bounds[:, 1] - bounds[:, 0]
    reach = alpha / (lengths * width).float().sqrt()
    # Steps up where a sequence begins and down behind it.
    number = torch.repeat_interleave(torch.arange(len(lengths), device=bounds.device), lengths)
    inside = torch.arange(len(number), device=bounds.device) - (lengths.cumsum(0) - lengths)[number]
    return reach.new_zeros(positions).index_put((bounds[number, 0] + inside,), reach[number])
