"""Pairs of answers with log-probabilities that were drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.tokens import TokenScores


@dataclass
class Drawn:
    """Pairs of answers of the lengths (chosen, rejected), in tokens."""

    scores: TokenScores
    batch: Batch
    sizes: Sequence[tuple[int, int]]

    @property
    def leaf(self) -> torch.Tensor:
        """The log-probabilities of tokens, by which losses are differentiated."""
        return self.scores.logprob

    def padded(self, of_tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As TRL has them: all chosen answers before all others, (2P, longest), and which tokens are there."""
        parts = list(of_tokens.split([size for pair in self.sizes for size in pair]))
        ordered = [*parts[::2], *parts[1::2]]
        filled = torch.nn.utils.rnn.pad_sequence(ordered, batch_first=True)
        there = torch.nn.utils.rnn.pad_sequence([torch.ones_like(part) for part in ordered], batch_first=True)
        return filled, there

    def gradient(self, loss: torch.Tensor) -> torch.Tensor:
        """Of a scalar by each token's log-probability."""
        (found,) = torch.autograd.grad(loss, self.leaf, retain_graph=True)
        return found


def drawn(sizes: Sequence[tuple[int, int]], spread: float = 0.7) -> Drawn:
    generator = torch.Generator().manual_seed(3)
    flat = [size for pair in sizes for size in pair]
    logprob = -(spread * torch.randn(sum(flat), generator=generator)).exp()
    sequence = torch.repeat_interleave(torch.arange(len(flat)), torch.tensor(flat))
    group = torch.repeat_interleave(torch.arange(len(sizes)), 2)
    noise = 0.3 * torch.randn(len(flat), generator=generator)
    reference = torch.zeros(len(flat)).index_add(0, sequence, logprob) + noise
    log_sum_sq = -torch.rand(sum(flat), generator=generator)
    scores = TokenScores(logprob.requires_grad_(), log_sum_sq=log_sum_sq)
    return Drawn(scores, Batch(inputs={}, sequence=sequence, group=group, reference=reference), sizes)


@pytest.fixture
def draw() -> Callable[..., Drawn]:
    return drawn


@pytest.fixture
def told() -> Callable[[Any], dict[str, float]]:
    """The figures of a step's loss as numbers."""
    return lambda step: {name: one.item() for name, one in step.figures.items()}
