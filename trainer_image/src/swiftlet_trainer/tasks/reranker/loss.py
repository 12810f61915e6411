"""The losses of rerankers."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits


def pointwise(scores: torch.Tensor, grades: torch.Tensor) -> torch.Tensor:
    """-log sigmoid of the score of a relevant document, of the opposite for one that is not; between them by the grade.

    scores, grades: fp32, (S,), of S documents, grades from 0 to 1. Source: arXiv:1901.04085, equation 1.
    """
    return binary_cross_entropy_with_logits(scores, grades, reduction="none")


def listwise(scores: torch.Tensor, group: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    """-log softmax, among the documents of each group, of the first one: fp32, (G,).

    scores: fp32, (S,). group: number of the group of each, int64, (S,), rising from 0 to G - 1. Source: ListNet, top
    one (doi:10.1145/1273496.1273513, section 4), of one relevant document.
    """
    logits, groups = scores / temperature, torch.arange(int(group[-1]) + 1, device=group.device)
    firsts = torch.searchsorted(group, groups)
    peak = logits.new_full((len(groups),), -torch.inf).scatter_reduce(0, group, logits.detach(), "amax")
    summed = torch.zeros_like(peak).index_add(0, group, (logits - peak[group]).exp())
    return peak + summed.log() - logits[firsts]
