"""Attention that is told where rows begin: what it is told. What it computes is in tests/gpu."""

import pytest
import torch
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.varlen import bounds, varlen


def test_bounds_are_found_from_positions_as_batches_have_them() -> None:
    row = {"input_ids": [5] * 9, "labels": [5] * 9}
    batch = Collator(0, packed=True, padding_free=True)(
        [{**row, "seq_lengths": [2, 6, 1]}, {**row, "seq_lengths": [9]}]
    )
    ends, longest = bounds(batch["position_ids"])
    assert ends.tolist() == batch["cu_seq_lens_q"].tolist() == [0, 2, 8, 9, 18]
    assert longest == batch["max_length_q"] == 9
    assert ends.dtype == batch["cu_seq_lens_q"].dtype == torch.int32


def test_rows_that_cannot_be_told_apart_are_refused() -> None:
    whole = torch.zeros(1, 2, 4, 8)
    with pytest.raises(ValueError, match="does not hand position_ids on"):
        varlen(torch.nn.Module(), whole, whole, whole, None)
