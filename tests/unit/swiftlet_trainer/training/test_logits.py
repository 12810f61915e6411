"""Scaled and capped logits. Whether an architecture has them is tried in test_architectures.py."""

import torch
from swiftlet_trainer.training.logits import Logits
from swiftlet_trainer.training.loss import labelled_loss


def test_logits_are_scaled_and_capped_where_the_architecture_says_so() -> None:
    head = torch.nn.Linear(4, 10, bias=False)
    hidden, labels = torch.randn(1, 3, 4, requires_grad=True), torch.tensor([[1, 2, 3]])
    logits = head(hidden)[0] * 0.5
    expected = torch.nn.functional.cross_entropy(2 * torch.tanh(logits / 2), labels[0], reduction="sum")
    found = labelled_loss(hidden, labels, Logits(head, 10, 0.5, 2.0)).loss
    torch.testing.assert_close(found, expected)
    weights = (hidden, head.weight)
    for one, other in zip(torch.autograd.grad(found, weights), torch.autograd.grad(expected, weights), strict=True):
        torch.testing.assert_close(one, other)
