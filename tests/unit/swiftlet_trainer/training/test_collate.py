"""Rows to tensors."""

import pytest
import torch
from swiftlet_trainer.data.encode import IGNORED
from swiftlet_trainer.training.collate import Collator, bounds, shared_tokens


def test_labels_are_what_each_position_predicts() -> None:
    rows = [
        {"input_ids": [5, 6, 7, 8], "labels": [IGNORED, IGNORED, 7, 8]},
        {"input_ids": [5, 9], "labels": [IGNORED, 9]},
    ]
    batch = Collator(pad_token_id=2)(rows)["inputs"]
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8], [5, 9, 2, 2]]
    assert batch["labels"].tolist() == [[IGNORED, 7, 8, IGNORED], [9, IGNORED, IGNORED, IGNORED]]
    assert set(batch) == {"input_ids", "labels", "bounds"}


WEIGHED = {"input_ids": [5, 6, 7, 8, 9], "labels": [IGNORED, 6, 7, IGNORED, 9], "weights": [0, 0.5, 2, 0, 3.0]}
"""A row whose labels have weights."""


def test_weights_move_with_their_labels() -> None:
    other = {"input_ids": [5, 9], "labels": [IGNORED, 9], "weights": [0, 1.0]}
    batch = Collator(pad_token_id=2)([WEIGHED, other])["inputs"]
    assert batch["weights"].tolist() == [[0.5, 2, 0, 3, 0], [1, 0, 0, 0, 0]]
    assert batch["weights"].dtype == torch.float32


@pytest.mark.parametrize("collator", [Collator(0, packed=True), Collator(0, padding_free=True)])
def test_weights_of_parts_do_not_reach_into_each_other(collator: Collator) -> None:
    parts = {**WEIGHED, "labels": [5, 6, 7, 8, 9], "weights": [1, 0.5, 2, 4, 3.0], "seq_lengths": [2, 3]}
    batch = collator([parts])["inputs"]
    assert batch["weights"].tolist() == [[0.5, 0, 4, 3, 0]]
    assert batch["labels"].tolist() == [[6, IGNORED, 8, 9, IGNORED]]


def test_sequences_of_a_row_keep_their_weights_when_apart() -> None:
    batch = Collator(pad_token_id=0)([{**WEIGHED, "seq_lengths": [3, 2]}])["inputs"]
    assert batch["weights"].tolist() == [[0.5, 2, 0], [3, 0, 0]]


def test_packed_parts_have_positions_of_their_own_and_do_not_predict_each_other() -> None:
    row = {"input_ids": [5, 6, 7, 8, 9], "labels": [5, 6, 7, 8, 9], "seq_lengths": [2, 3]}
    batch = Collator(pad_token_id=0, packed=True)([row, {"input_ids": [1] * 6, "labels": [1] * 6, "seq_lengths": [6]}])[
        "inputs"
    ]
    assert batch["position_ids"].tolist() == [[0, 1, 0, 1, 2, 0], [0, 1, 2, 3, 4, 5]]
    assert batch["labels"][0].tolist() == [6, IGNORED, 8, 9, IGNORED, IGNORED]
    assert batch["input_ids"].dtype == batch["labels"].dtype == batch["position_ids"].dtype == torch.long


def test_without_padding_all_rows_are_one_sequence() -> None:
    rows = [
        {"input_ids": [5, 6, 7], "labels": [-100, 6, 7]},
        {"input_ids": [1, 2, 3, 4, 8], "labels": [1, 2, 3, 4, 8], "seq_lengths": [2, 3]},
    ]
    batch = Collator(pad_token_id=0, padding_free=True)(rows)["inputs"]
    assert batch["input_ids"].tolist() == [[5, 6, 7, 1, 2, 3, 4, 8]]
    assert batch["labels"].tolist() == [[6, 7, -100, 2, -100, 4, 8, -100]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1, 0, 1, 2]]
    assert batch["cu_seq_lens_q"].tolist() == [0, 3, 5, 8]
    assert batch["max_length_q"] == 3


def test_bounds_are_found_from_positions_as_batches_have_them() -> None:
    row = {"input_ids": [5] * 9, "labels": [5] * 9}
    batch = Collator(0, packed=True, padding_free=True)(
        [{**row, "seq_lengths": [2, 6, 1]}, {**row, "seq_lengths": [9]}]
    )["inputs"]
    ends, longest = bounds(batch["position_ids"])
    assert ends.tolist() == batch["cu_seq_lens_q"].tolist() == [0, 2, 8, 9, 18]
    assert longest == batch["max_length_q"] == 9
    assert ends.dtype == batch["cu_seq_lens_q"].dtype == torch.int32


PAIR = {
    "input_ids": [1, 2, 3, 4, 5, 6, 7],
    "labels": [IGNORED, 2, 3, IGNORED, IGNORED, 6, 7],
    "seq_lengths": [3, 4],
    "group_sizes": [2],
}
LIST = {"input_ids": [8, 9] * 3, "labels": [IGNORED, 9] * 3, "seq_lengths": [2, 2, 2], "group_sizes": [3]}
LONE = {"input_ids": [1, 2], "labels": [1, 2]}


@pytest.mark.parametrize("padding_free", [False, True])
def test_labelled_tokens_know_their_sequence_and_sequences_their_group(padding_free: bool) -> None:
    batch = Collator(0, padding_free=padding_free)([PAIR, LONE, LIST])
    assert batch["group"].tolist() == [0, 0, 1, 2, 2, 2]
    assert batch["sequence"].tolist() == [0, 0, 1, 1, 2, 3, 4, 5]
    labels = batch["inputs"]["labels"]
    assert labels[labels.ne(IGNORED)].tolist() == [2, 3, 6, 7, 2, 9, 9, 9]


def test_sequences_of_a_group_are_padded_each() -> None:
    inputs = Collator(pad_token_id=0)([PAIR, LONE])["inputs"]
    assert inputs["input_ids"].tolist() == [[1, 2, 3, 0], [4, 5, 6, 7], [1, 2, 0, 0]]
    assert inputs["labels"][:2].tolist() == [[2, 3, IGNORED, IGNORED], [IGNORED, 6, 7, IGNORED]]


@pytest.mark.parametrize("padding_free", [False, True])
def test_packed_rows_are_groups_of_their_own(padding_free: bool) -> None:
    row = {"input_ids": [1] * 5, "labels": [1] * 5, "seq_lengths": [2, 3]}
    batch = Collator(0, packed=True, padding_free=padding_free)([row, {**row, "seq_lengths": [4, 1]}])
    assert batch["sequence"].tolist() == [0, 1, 1, 2, 2, 2]
    assert batch["group"].tolist() == [0, 1, 2, 3]


PACKED = {"input_ids": [1] * 5, "labels": [1] * 5, "seq_lengths": [2, 3]}


@pytest.mark.parametrize(
    ("collator", "rows", "expected"),
    [
        (Collator(0), [PAIR, LONE], [[0, 3], [4, 8], [8, 10]]),
        (Collator(0, padding_free=True), [PAIR, LONE], [[0, 3], [3, 7], [7, 9]]),
        (Collator(0, packed=True), [PACKED, {**PACKED, "seq_lengths": [4, 1]}], [[0, 2], [2, 5], [5, 9], [9, 10]]),
    ],
    ids=["padded", "padding-free", "packed"],
)
def test_bounds_are_where_sequences_begin_and_end(
    collator: Collator, rows: list[dict[str, object]], expected: list[list[int]]
) -> None:
    assert collator(rows)["inputs"]["bounds"].tolist() == expected


@pytest.mark.parametrize("padding_free", [False, True])
def test_targets_are_those_of_groups(padding_free: bool) -> None:
    rows = [{**PACKED, "targets": [1.0, 0.5, 2.0, 3.0]}, {**LONE, "seq_lengths": [2], "targets": [4.0, 5.0]}]
    batch = Collator(0, packed=True, padding_free=padding_free)(rows)
    assert batch["targets"].tolist() == [[1, 0.5], [2, 3], [4, 5]]
    assert "targets" not in Collator(0)([PAIR])


def group(*sequences: list[int], prompt: int) -> dict[str, list[int]]:
    """A group of sequences, of which the first `prompt` tokens of each have no labels."""
    return {
        "input_ids": [token for one in sequences for token in one],
        "labels": [label for one in sequences for label in [*[IGNORED] * prompt, *one[prompt:]]],
        "seq_lengths": [len(one) for one in sequences],
        "group_sizes": [len(sequences)],
    }


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (group([5, 6, 7, 1], [5, 6, 7, 2, 3], prompt=3), [0, 2]),
        (group([5, 6, 7, 1], [5, 6, 7, 1, 3], prompt=3), [0, 2]),
        (group([5, 6, 7, 1], [5, 9, 7, 2, 3], [5, 6, 7, 8], prompt=3), [0, 1, 1]),
        (group([5, 6, 7], [5, 6, 7], prompt=3), [0, 2]),
        (group([5, 6], [5, 6, 7, 8], prompt=5), [0, 2]),
        (group([5, 6, 7, 1], [4, 6, 7, 1], prompt=3), [0, 0]),
        (group([5, 6, 7, 1], [5, 6, 7, 2], prompt=0), [0, 0]),
        (group([5, 6, 7, 1], prompt=3), [0]),
        (LONE, [0]),
        (PACKED, [0, 0]),
    ],
    ids=[
        "pair",
        "answers alike",
        "list",
        "no labels",
        "one in the other",
        "nothing",
        "all learnt",
        "1",
        "lone",
        "packed",
    ],
)
def test_tokens_that_a_sequence_leaves_to_the_first(row: dict[str, list[int]], expected: list[int]) -> None:
    assert shared_tokens(row) == expected


def test_what_a_group_begins_with_is_there_once() -> None:
    pair = group([5, 6, 7, 1], [5, 6, 7, 2, 3], prompt=3)
    pair |= {"weights": [0, 0, 0, 0.5, 0, 0, 0, 2, 3]}
    lone = {**LONE, "weights": [1, 1], "seq_lengths": [2], "group_sizes": [1]}
    batch = Collator(0, padding_free=True, sharing=True)([lone, pair, lone])
    inputs = batch["inputs"]
    assert inputs["input_ids"].tolist() == [[1, 2, 5, 6, 7, 1, 7, 2, 3, 1, 2]]
    assert inputs["position_ids"].tolist() == [[0, 1, 0, 1, 2, 3, 2, 3, 4, 0, 1]]
    assert inputs["labels"].tolist() == [[2, *[IGNORED] * 3, 1, IGNORED, 2, 3, IGNORED, 2, IGNORED]]
    assert inputs["weights"].tolist() == [[1, 0, 0, 0, 0.5, 0, 2, 3, 0, 1, 0]]
    assert inputs["bounds"].tolist() == [[0, 2], [2, 6], [6, 9], [9, 11]]
    assert batch["sequence"].tolist() == [0, 1, 2, 2, 3]
    assert batch["group"].tolist() == [0, 1, 1, 2]
    assert "cu_seq_lens_q" not in inputs and "max_length_q" not in inputs


def test_one_of_each_group_shares_nothing() -> None:
    pair = group([5, 6, 7, 1], [5, 6, 7, 2, 3], prompt=3)
    for place in (0, 1):
        whole, shared = (Collator(0, padding_free=True, sharing=each, place=place)([pair]) for each in (False, True))
        assert whole["inputs"]["input_ids"].tolist() == shared["inputs"]["input_ids"].tolist()
