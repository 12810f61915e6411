"""Rows to tensors."""

import torch
from swiftlet_trainer.training.collate import IGNORED, Collator, bounds


def test_labels_are_what_each_position_predicts() -> None:
    rows = [
        {"input_ids": [5, 6, 7, 8], "labels": [IGNORED, IGNORED, 7, 8]},
        {"input_ids": [5, 9], "labels": [IGNORED, 9]},
    ]
    batch = Collator(pad_token_id=2)(rows)
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8], [5, 9, 2, 2]]
    assert batch["labels"].tolist() == [[IGNORED, 7, 8, IGNORED], [9, IGNORED, IGNORED, IGNORED]]
    assert set(batch) == {"input_ids", "labels"}


def test_packed_parts_have_positions_of_their_own_and_do_not_predict_each_other() -> None:
    row = {"input_ids": [5, 6, 7, 8, 9], "labels": [5, 6, 7, 8, 9], "seq_lengths": [2, 3]}
    batch = Collator(pad_token_id=0, packed=True)([row, {"input_ids": [1] * 6, "labels": [1] * 6, "seq_lengths": [6]}])
    assert batch["position_ids"].tolist() == [[0, 1, 0, 1, 2, 0], [0, 1, 2, 3, 4, 5]]
    assert batch["labels"][0].tolist() == [6, IGNORED, 8, 9, IGNORED, IGNORED]
    assert batch["input_ids"].dtype == batch["labels"].dtype == batch["position_ids"].dtype == torch.long


def test_without_padding_all_rows_are_one_sequence() -> None:
    rows = [
        {"input_ids": [5, 6, 7], "labels": [-100, 6, 7]},
        {"input_ids": [1, 2, 3, 4, 8], "labels": [1, 2, 3, 4, 8], "seq_lengths": [2, 3]},
    ]
    batch = Collator(pad_token_id=0, padding_free=True)(rows)
    assert batch["input_ids"].tolist() == [[5, 6, 7, 1, 2, 3, 4, 8]]
    assert batch["labels"].tolist() == [[6, 7, -100, 2, -100, 4, 8, -100]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1, 0, 1, 2]]
    assert batch["cu_seq_lens_q"].tolist() == [0, 3, 5, 8]
    assert batch["max_length_q"] == 3


def test_bounds_are_found_from_positions_as_batches_have_them() -> None:
    row = {"input_ids": [5] * 9, "labels": [5] * 9}
    batch = Collator(0, packed=True, padding_free=True)(
        [{**row, "seq_lengths": [2, 6, 1]}, {**row, "seq_lengths": [9]}]
    )
    ends, longest = bounds(batch["position_ids"])
    assert ends.tolist() == batch["cu_seq_lens_q"].tolist() == [0, 2, 8, 9, 18]
    assert longest == batch["max_length_q"] == 9
    assert ends.dtype == batch["cu_seq_lens_q"].dtype == torch.int32
