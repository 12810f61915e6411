"""Attention that is told where rows begin: what it is told. What it computes is in tests/gpu."""

import pytest
import torch
from swiftlet_trainer.training.varlen import varlen


def test_rows_that_cannot_be_told_apart_are_refused() -> None:
    whole = torch.zeros(1, 2, 4, 8)
    with pytest.raises(ValueError, match="does not hand position_ids on"):
        varlen(torch.nn.Module(), whole, whole, whole, None)
