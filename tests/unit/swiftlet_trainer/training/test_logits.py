"""Scaled and capped logits. Whether an architecture has them is tried in test_architectures.py."""

import torch
from swiftlet_trainer.training.heads.tokens import token_scores
from swiftlet_trainer.training.logits import Logits


def test_logits_are_scaled_and_capped_where_the_architecture_says_so() -> None:
    head = torch.nn.Linear(4, 10, bias=False)
    hidden, labels = torch.randn(3, 4, requires_grad=True), torch.tensor([1, 2, 3])
    logits = head(hidden) * 0.5
    expected = torch.nn.functional.cross_entropy(2 * torch.tanh(logits / 2), labels, reduction="sum")
    found = -token_scores(hidden, labels, Logits(head, 10, 0.5, 2.0)).logprob.sum()
    torch.testing.assert_close(found, expected)
    weights = (hidden, head.weight)
    for one, other in zip(torch.autograd.grad(found, weights), torch.autograd.grad(expected, weights), strict=True):
        torch.testing.assert_close(one, other)
