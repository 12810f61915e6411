"""Rows of a run."""

import pytest
from datasets import Dataset
from swiftlet_trainer.data.encode import IGNORED
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.order import labelled_tokens, order_data

ROWS = [
    {"input_ids": [1, 2, 3], "labels": [IGNORED, 2, 3], "length": 3},
    {"input_ids": [1, 2], "labels": [1, IGNORED], "length": 2},  # only the first token, which nothing predicts
    {"input_ids": [1, 2], "labels": [IGNORED, IGNORED], "length": 2},
    {"input_ids": [4, 5, 6, 7], "labels": [4, 5, 6, 7], "length": 4},
]


def test_rows_with_nothing_to_learn_are_counted_and_left_out() -> None:
    data = order_data(Dataset.from_list(ROWS), None, Collator(0), global_batch_size=2, seed=1)
    assert data.left_out == 2
    assert data.items == (2, 3)
    assert data.plan.lengths == (3, 4)
    assert data.train["input_ids"][1] == [4, 5, 6, 7]


def test_no_row_with_anything_to_learn_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no row has a token to learn"):
        order_data(Dataset.from_list(ROWS[1:3]), None, Collator(0), global_batch_size=2, seed=1)


def test_counts_are_those_of_the_collated_labels() -> None:
    packed = [
        {"input_ids": [1] * 5, "labels": [1, 2, 3, 4, 5], "length": 5, "seq_lengths": [2, 3]},
        {"input_ids": [1] * 4, "labels": [IGNORED, 2, IGNORED, 4], "length": 4, "seq_lengths": [2, 2]},
    ]
    for rows, is_packed in ((ROWS, False), (packed, True)):
        dataset = Dataset.from_list(rows)
        collated = [int((Collator(0, is_packed)([row])["inputs"]["labels"] != IGNORED).sum()) for row in rows]
        assert labelled_tokens(dataset).tolist() == collated


def test_rows_of_which_no_token_is_learnt_are_kept_where_sequences_are() -> None:
    data = order_data(Dataset.from_list(ROWS), None, Collator(0), 2, seed=1, counts="groups", of_tokens=False)
    assert (data.left_out, data.items, data.plan.lengths) == (0, (1, 1, 1, 1), (3, 2, 2, 4))
