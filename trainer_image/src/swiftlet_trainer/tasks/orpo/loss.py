"""The odds ratio of two answers."""

import torch

from swiftlet_trainer.tasks.preference.scores import Answers

LIKELIEST = -1e-6
"""log p per token of an answer that is certain: the odds of p = 1 are infinite."""


def log_odds_ratio(likelihoods: Answers) -> torch.Tensor:
    """log odds(chosen) - log odds(rejected), odds(p) = p / (1 - p), of log p per token: fp32, (P,)."""
    return _log_odds(likelihoods.chosen) - _log_odds(likelihoods.rejected)


def _log_odds(likelihood: torch.Tensor) -> torch.Tensor:
    bounded = likelihood.clamp(max=LIKELIEST)
    return bounded - torch.log(-torch.expm1(bounded))
