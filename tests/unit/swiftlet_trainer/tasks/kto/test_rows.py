"""Judged answers as tokens: each beside another row's answer, with its label, and labels that teach nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from swiftlet_trainer.data.prepare import prepare
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.verbs.validate import checked

ROWS = [
    {"prompt": f"How many swifts are {n}?" + " Really?" * (n % 3), "completion": f"There are {n}." * (1 + n % 4),
     "label": n % 2 == 0}
    for n in range(12)
]  # fmt: skip


def prepared(pod: Any, tokenizer: Any, rows: list[Any], **changes: Any) -> Any:
    return prepare(pod.document(pod.data("judged.jsonl", rows), **{"task": {"kto": {}}, **changes}), tokenizer)


def said(tokenizer: Any, ids: list[int], labels: list[int]) -> tuple[str, str]:
    """What is given, and what is labelled."""
    start = next(index for index, label in enumerate(labels) if label != -100)
    return tokenizer.decode(ids[:start]), tokenizer.decode([label for label in labels if label != -100])


def sequences(tokenizer: Any, row: dict[str, Any]) -> list[tuple[str, str]]:
    cuts = np.cumsum(row["seq_lengths"])[:-1]
    parts = zip(*(np.split(np.array(row[name]), cuts) for name in ("input_ids", "labels")), strict=True)
    return [said(tokenizer, *(part.tolist() for part in both)) for both in parts]


@pytest.mark.parametrize("packing", [False, True])
def test_each_answer_lies_beside_another_rows(pod: Any, tokenizer: Any, packing: bool) -> None:
    found = prepared(pod, tokenizer, ROWS, template={"packing": packing, "maxLength": 128}).train
    assert len(found) < len(ROWS) if packing else len(found) == len(ROWS)
    assert max(found["length"]) <= 2 * 128
    pairs = [pair for row in found for pair in zip(*[iter(sequences(tokenizer, row))] * 2, strict=True)]
    labels = [label for row in found for label in row["targets"]]
    answers = {row["prompt"]: (f"{row['completion']}<|im_end|>", float(row["label"])) for row in ROWS}
    seen = set()
    for ((given, own), (same, other)), label in zip(pairs, labels, strict=True):
        assert given == same
        assert other != own
        prompt = given.split("user\n")[1].split("<|im_end|>")[0]
        assert answers[prompt] == (own, label)
        seen.add(prompt)
    assert len(seen) == len(ROWS)
    assert sorted(other for _, (_, other) in pairs) == sorted(answer for answer, _ in answers.values())


def test_the_same_seed_gives_the_same_neighbours(pod: Any, tokenizer: Any) -> None:
    first, again, other = (
        prepared(pod, tokenizer, ROWS, training={"seed": seed}, outputDir=f"/swiftlet/{name}").train["input_ids"][:]
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    assert first == again != other


def test_answers_to_the_same_prompt_are_no_mismatch(pod: Any, tokenizer: Any) -> None:
    pair = {"prompt": "Which?", "chosen": "This.", "rejected": "That."}
    rows = [pair, {"prompt": "Who?", "chosen": "Swifts.", "rejected": "Nobody."}]
    found = prepared(pod, tokenizer, rows)
    assert (found.counts.read, found.counts.used, found.counts.dropped) == (2, 4, {})
    told = [(sequences(tokenizer, row), row["targets"]) for row in found.train]
    assert sorted((own[1], label) for (own, _), (label,) in told) == [
        ("Nobody.<|im_end|>", 0), ("Swifts.<|im_end|>", 1), ("That.<|im_end|>", 0), ("This.<|im_end|>", 1)
    ]  # fmt: skip
    for (own, other), _ in told:
        of_swifts = {"Nobody.<|im_end|>", "Swifts.<|im_end|>"}
        assert (own[1] in of_swifts) != (other[1] in of_swifts)


def test_where_all_prompts_are_the_same_answers_are_taken_all_the_same(pod: Any, tokenizer: Any) -> None:
    rows = [{"prompt": "Which?", "completion": text, "label": text == "This."} for text in ("This.", "That.")]
    assert {sequences(tokenizer, row)[1][1] for row in prepared(pod, tokenizer, rows).train} == {
        "This.<|im_end|>",
        "That.<|im_end|>",
    }


def test_another_rows_answer_is_cut_where_it_is_too_long(pod: Any, tokenizer: Any) -> None:
    rows = [*ROWS, {"prompt": "q", "completion": "word " * 90, "label": True}, *ROWS[:1]]
    rows += [{"prompt": "word " * 90, "completion": "a", "label": False}] * 8
    found = prepared(pod, tokenizer, rows, template={"maxLength": 128})
    assert found.counts.dropped == {}
    assert max(length for row in found.train for length in row["seq_lengths"]) == 128


def test_apo_has_no_other_answers_beside_its_own(pod: Any, tokenizer: Any) -> None:
    task = {"kto": {"lossType": "apo_zero_unpaired"}}
    for packing in (False, True):
        found = prepared(pod, tokenizer, ROWS, task=task, template={"packing": packing}).train
        labels = [label for row in found for label in row["targets"]]
        assert sum(len(row.get("seq_lengths") or [1]) for row in found) == len(labels) == len(ROWS)
        assert sum(labels) == 6
        assert Collator(0, packed=packing)([*found])["targets"].flatten().tolist() == labels


def test_training_leaves_the_other_answers_out(pod: Any, tokenizer: Any) -> None:
    rows = [*prepared(pod, tokenizer, ROWS).train]
    rows = [{**row, "reference": [2.0 * index, 2.0 * index + 1]} for index, row in enumerate(rows)]
    for place in (0, 1):
        batch = Collator(0, place=place)(rows)
        assert batch["reference"].tolist() == [2 * index + place for index in range(12)]
        assert batch["group"].tolist() == list(range(12))
        assert batch["targets"].flatten().tolist() == [float(row["label"]) for row in ROWS]
        assert batch["inputs"]["input_ids"].shape == (12, max(row["seq_lengths"][place] for row in rows))


@pytest.mark.parametrize("label", [True, False])
def test_answers_of_one_kind_are_refused(pod: Any, tokenizer: Any, label: bool) -> None:
    kind, other = ("good", "bad") if label else ("bad", "good")
    words = f"all 12 training rows are of {kind} answers, and task kto learns from both kinds; add rows of {other} ones"
    rows = [{**row, "label": label} for row in ROWS]
    with pytest.raises(InvalidInput, match=words):
        prepared(pod, tokenizer, rows)
    document = pod.document(pod.data("judged.jsonl", rows), task={"kto": {}})
    with pytest.raises(InvalidInput, match=words):
        checked(document)
    evaluation = {**pod.data("eval.jsonl", ROWS), "split": "eval"}
    with pytest.raises(InvalidInput, match=words):
        prepare(pod.document(pod.data("judged.jsonl", rows), evaluation, task={"kto": {}}), tokenizer)


def test_kinds_that_weigh_unequally_are_told_with_the_remedy(pod: Any, tokenizer: Any) -> None:
    rows = [{**row, "label": number < 9} for number, row in enumerate(ROWS)]
    note = "9 training rows are of good answers and 3 of bad ones; kinds weigh the same with "
    assert f"{note}desirableWeight: 0.333, or undesirableWeight: 3" in prepared(pod, tokenizer, rows).notes
    document = pod.document(pod.data("judged.jsonl", rows), task={"kto": {}})
    assert f"{note}desirableWeight: 0.333, or undesirableWeight: 3" in checked(document)
    task = {"kto": {"undesirableWeight": 3}}
    assert not [one for one in prepared(pod, tokenizer, rows, task=task).notes if "kinds" in one]
    assert not [one for one in prepared(pod, tokenizer, ROWS).notes if "kinds" in one]


DROPPED = {
    "same_answers": {"prompt": "q", "chosen": "a", "rejected": "a"},
    "empty_answer": {"prompt": "q", "completion": " ", "label": True},
    "too_long": {"prompt": "q", "completion": "b " * 300, "label": True},
}


@pytest.mark.parametrize(("reason", "row"), DROPPED.items(), ids=DROPPED)
def test_a_row_that_teaches_nothing_is_dropped_and_told(pod: Any, tokenizer: Any, reason: str, row: Any) -> None:
    pair = {"prompt": "Which?", "chosen": "This.", "rejected": "That."}
    rows = [pair, row] if reason == "same_answers" else [*ROWS, row]
    found = prepared(pod, tokenizer, rows, template={"maxLength": 256})
    assert found.counts.dropped == {reason: 1}
    assert [note for note in found.notes if note.startswith(f"judged.jsonl:{len(rows)}: dropped ({reason})")]


def test_rows_of_another_shape_are_refused_by_line(pod: Any, tokenizer: Any, chat: Callable[..., Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        prepared(pod, tokenizer, [chat("q", "a")])
    assert "judged.jsonl:1: columns messages are of no known format (unpaired_preference needs label" in str(
        refused.value
    )
    with pytest.raises(InvalidInput) as refused:
        prepared(pod, tokenizer, [*ROWS, {"prompt": "q", "completion": "a", "label": "maybe"}])
    assert "judged.jsonl:13: label is str 'maybe'; write true for a good answer" in str(refused.value)
    with pytest.raises(InvalidInput) as refused:
        prepared(pod, tokenizer, ROWS, task={"sft": {}})
    assert "label is not supported: this says whether an answer is good, which task kto learns from" in str(
        refused.value
    )


def test_placeholders_are_filled_in(pod: Any, tokenizer: Any) -> None:
    rows = [{"prompt": "{{WHO}}?", "completion": "{{WHO}}!", "label": True}, *ROWS[1:2]]
    data = pod.data("judged.jsonl", rows)
    found = prepare(pod.document({**data, "placeholders": {"WHO": "Apus"}}, task={"kto": {}}), tokenizer).train
    assert sum(tokenizer.decode(row["input_ids"]).count("Apus") for row in found) == 4
