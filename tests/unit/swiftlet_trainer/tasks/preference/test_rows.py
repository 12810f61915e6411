"""Pairs as tokens: the prompt as inference writes it, the answers learnt, and pairs that stay together."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from swiftlet_trainer.data.prepare import prepare
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.training.collate import Collator

ROWS = [
    {"prompt": f"How many swifts are {n}?" + " Really?" * (n % 3), "chosen": f"There are {n}." * (1 + n % 4),
     "rejected": "Nobody knows." * (1 + n % 2)}
    for n in range(12)
]  # fmt: skip


def prepared(pod: Any, tokenizer: Any, rows: list[Any], **changes: Any) -> Any:
    return prepare(pod.document(pod.data("pairs.jsonl", rows), **{"task": {"dpo": {}}, **changes}), tokenizer)


def parts(row: dict[str, Any], name: str) -> list[list[int]]:
    """A column of the row, sequence by sequence."""
    cuts = np.cumsum(row["seq_lengths"])[:-1]
    return [part.tolist() for part in np.split(np.array(row[name]), cuts)]


def test_answers_follow_the_prompt_as_inference_writes_it(pod: Any, tokenizer: Any) -> None:
    row = prepared(pod, tokenizer, ROWS[3:4]).train[0]
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": ROWS[3]["prompt"]}], add_generation_prompt=True, return_dict=False
    )
    assert row["group_sizes"] == [2]
    for ids, labels, answer in zip(parts(row, "input_ids"), parts(row, "labels"), ("chosen", "rejected"), strict=True):
        learnt = [one for one in labels if one != -100]
        assert ids[: len(prompt)] == prompt
        assert labels[: len(prompt)] == [-100] * len(prompt)
        assert learnt == ids[len(prompt) : len(prompt) + len(learnt)]
        assert tokenizer.decode(learnt) == f"{ROWS[3][answer]}<|im_end|>"


def test_earlier_answers_of_a_prompt_are_given_not_learnt(pod: Any, tokenizer: Any) -> None:
    said = [{"role": role, "content": f"{role} says so"} for role in ("user", "assistant", "user")]
    row = prepared(pod, tokenizer, [{"prompt": said, "chosen": "Yes.", "rejected": "No."}]).train[0]
    learnt = [tokenizer.decode([one for one in labels if one != -100]) for labels in parts(row, "labels")]
    assert learnt == ["Yes.<|im_end|>", "No.<|im_end|>"]


def test_each_rejected_answer_makes_a_pair(pod: Any, tokenizer: Any) -> None:
    found = prepared(pod, tokenizer, [{"prompt": "q", "chosen": "a", "rejected": ["b", "c", "d"]}])
    assert (len(found.train), found.counts.read, found.counts.used) == (3, 1, 3)
    assert len({tuple(parts(row, "input_ids")[0]) for row in found.train}) == 1


@pytest.mark.parametrize("packing", [False, True])
def test_pairs_stay_together(pod: Any, tokenizer: Any, packing: bool) -> None:
    found = prepared(pod, tokenizer, ROWS, template={"packing": packing, "maxLength": 128})
    together = [
        tuple(map(tuple, pair))
        for row in found.train
        for pair in zip(*[iter(parts(row, "input_ids"))] * 2, strict=True)
        if row["group_sizes"] == [2] * (len(row["seq_lengths"]) // 2)
    ]
    assert len(together) == len(ROWS)
    assert len(found.train) < len(ROWS) if packing else len(found.train) == len(ROWS)
    assert max(found.train["length"]) <= 2 * 128
    for row in found.train:
        batch = Collator(0, packed=packing)([row])
        assert batch["group"].tolist() == [number // 2 for number in range(len(row["seq_lengths"]))]


def test_sft_writes_no_columns_of_groups(pod: Any, tokenizer: Any, chat: Callable[..., Any]) -> None:
    found = prepare(pod.document(pod.data("chat.jsonl", [chat("q", "a")])), tokenizer)
    with pa.memory_map(str(found.folder / "rows.arrow")) as file:
        assert pa.ipc.open_stream(file).schema.names == ["input_ids", "labels", "length", "dataset"]


DROPPED = {
    "same_answers": {"prompt": "q", "chosen": "a", "rejected": "a"},
    "same answers among others": {"prompt": "q", "chosen": "a", "rejected": ["b", "a"]},
    "empty_answer": {"prompt": "q", "chosen": "a", "rejected": " "},
    "too_long": {"prompt": "q", "chosen": "a", "rejected": "b " * 300},
}


@pytest.mark.parametrize(("name", "row"), DROPPED.items(), ids=DROPPED)
def test_a_pair_that_teaches_nothing_is_dropped_and_told(pod: Any, tokenizer: Any, name: str, row: Any) -> None:
    found = prepared(pod, tokenizer, [*ROWS, row], template={"maxLength": 256})
    reason = "same_answers" if name.startswith("same") else name
    assert found.counts.dropped == {reason: 1}
    assert [note for note in found.notes if note.startswith(f"pairs.jsonl:13: dropped ({reason})")]


def test_answers_that_differ_beyond_the_limit_alone_are_the_same(pod: Any, tokenizer: Any) -> None:
    row = {"prompt": "q", "chosen": "word " * 100 + "good", "rejected": "word " * 100 + "bad"}
    template = {"maxLength": 64, "truncation": "truncate"}
    assert prepared(pod, tokenizer, [*ROWS, row], template=template).counts.dropped == {"same_answers": 1}


def test_rows_of_another_shape_are_refused_by_line(pod: Any, tokenizer: Any, chat: Callable[..., Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        prepared(pod, tokenizer, [chat("q", "a")])
    assert "pairs.jsonl:1: columns messages are of no known format (preference needs rejected" in str(refused.value)
    with pytest.raises(InvalidInput) as refused:
        prepared(pod, tokenizer, ROWS, task={"sft": {}})
    assert "chosen is not supported: this is preference data, which tasks dpo" in str(refused.value)


def test_placeholders_are_filled_in_every_answer(pod: Any, tokenizer: Any) -> None:
    data = pod.data("pairs.jsonl", [{"prompt": "{{WHO}}?", "chosen": "{{WHO}}!", "rejected": "not {{WHO}}"}])
    found = prepare(pod.document({**data, "placeholders": {"WHO": "Apus"}}, task={"orpo": {}}), tokenizer).train[0]
    assert tokenizer.decode(found["input_ids"]).count("Apus") == 4
