"""The rows of methods, and what the peers are told of them."""

from typing import Any

from training_rows import ROWS
from training_texts import SHAPES, sequences_of

PAIR = {"input_ids": [1, 2, 3, 1, 2, 4, 5], "labels": [-100, -100, 3, -100, -100, 4, 5], "seq_lengths": [3, 4]}


def told(ids: list[int]) -> str:
    return "".join(map(str, ids))


def shown(method: str, row: dict[str, Any]) -> dict[str, Any]:
    return SHAPES[method](sequences_of(method, row), row, told)


def test_answers_begin_at_their_first_label() -> None:
    assert shown("dpo", PAIR) == shown("orpo", PAIR) == {"prompt": "12", "chosen": "3", "rejected": "45"}


def test_answers_end_with_their_last_label() -> None:
    ended = {"input_ids": [1, 2, 3, 9, 1, 2, 4, 9], "labels": [-100, -100, 3, -100] * 2, "seq_lengths": [4, 4]}
    assert shown("dpo", ended) == {"prompt": "12", "chosen": "3", "rejected": "4"}
    assert shown("rm", ended) == {"chosen": "1239", "rejected": "1249"}, "it scores the last token"


def test_a_reward_model_reads_whole_conversations() -> None:
    assert shown("rm", PAIR) == {"chosen": "123", "rejected": "1245"}


def test_answers_to_other_prompts_are_no_rows_of_kto() -> None:
    assert shown("kto", {**PAIR, "targets": [0.0]}) == {"prompt": "12", "completion": "3", "label": False}
    assert shown("kto", {"input_ids": [1, 2], "labels": [-100, 2], "targets": [1.0]})["label"] is True


def test_texts_stay_whole() -> None:
    assert shown("embedding", PAIR) == {"anchor": "123", "positive": "1245"}


def test_rows_are_made_of_the_same_chats() -> None:
    (chat, _), (pair, _) = ROWS["sft"](2), ROWS["dpo"](2)
    assert pair["prompt"] + pair["chosen"] == chat["messages"]
    good, bad, third = ROWS["kto"](3)
    assert (good["completion"], good["label"]) == (pair["chosen"], True)
    assert (bad["prompt"], bad["completion"], bad["label"]) == (pair["prompt"], pair["rejected"], False)
    assert third["label"] is True
    (text, _) = ROWS["embedding"](2)
    assert [text["anchor"], text["positive"]] == [turn["content"] for turn in chat["messages"]]
