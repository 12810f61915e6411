"""Keys of rows: read, carried out as marks, noted or refused."""

from typing import Any

import pytest
from swiftlet.api.v1alpha1.dataset import Columns
from swiftlet_trainer.data.examples import Example
from swiftlet_trainer.data.formats import FORMATS, converted, detect, key_book
from swiftlet_trainer.data.keys import HARMLESS, LEVELS, MARKS, REFUSED, TOOLS, RowError
from swiftlet_trainer.data.known_formats import FORMATS_OF
from swiftlet_trainer.data.turns import Turn

USER, ASSISTANT = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}


def read(row: dict[str, Any], columns: Columns | None = None) -> tuple[str, Example]:
    found = detect(row, columns, FORMATS)
    return found.name, converted(row, found, columns, key_book(found, columns))


def said(example: Example) -> list[dict[str, str]]:
    return [turn.message for turn in example.turns]


ROW = {"messages": [USER, ASSISTANT]}
TEXT = {"text": "words"}


@pytest.mark.parametrize(
    ("level", "key"), [(level, key) for kind in REFUSED for level in kind.keys for key in kind.keys[level]]
)
def test_keys_that_mean_what_cannot_be_carried_out_are_refused(level: str, key: str) -> None:
    def row(value: Any) -> dict[str, Any]:
        if level == "row":
            return {**(TEXT if key in TOOLS.keys["row"] else ROW), key: value}
        if level == "block":
            block = {"type": "tool_use", "id": "1", "name": "now", "input": {}, key: value}
            return {"messages": [USER, {"role": "assistant", "content": [{"type": "text", "text": "a"}, block]}]}
        content: Any = [{"type": "text", "text": "a", key: value}] if level == "part" else "a"
        return {
            "messages": [USER, {"role": "assistant", "content": content, **({key: value} if level == "turn" else {})}]
        }

    for value in ({"some": "thing"}, ["x"], "x", False, 0):
        with pytest.raises(RowError, match=f"{key} is not supported: .*; .*"):
            read(row(value))
    for nothing in (None, [], {}, "", float("nan"), [None], {"url": None}):
        found = read(row(nothing))[1]
        assert found.text == "words" or [turn.content for turn in found.turns] == ["q", "a"]


def test_preference_data_is_told_before_anything_else() -> None:
    with pytest.raises(RowError, match="chosen is not supported: this is preference data"):
        read({"prompt": "q", "chosen": "a", "rejected": "b"})
    later = {"messages": [{"role": "assistant"}], "rejected": "x"}
    found = detect(ROW, None, FORMATS)
    with pytest.raises(RowError, match="rejected is not supported"):
        converted(later, found, None, key_book(found, None))


def test_a_call_of_a_tool_is_told_before_its_missing_content() -> None:
    with pytest.raises(RowError, match=r"messages\[0\].tool_calls\[0\] names no tool"):
        read({"messages": [{"role": "assistant", "tool_calls": [{"id": 1}]}]})


def test_a_column_that_the_document_names_is_read() -> None:
    columns = Columns.model_validate({"prompt": "question", "completion": "chosen"})
    _, example = read({"question": "q", "chosen": "a", "rejected": "b"}, columns)
    assert said(example) == [USER, ASSISTANT]
    assert read({"label": "words"}, Columns(text="label"))[1].text == "words"


@pytest.mark.parametrize("key", MARKS)
@pytest.mark.parametrize(
    ("value", "weight"),
    [
        (0, 0),
        (1, 1),
        (False, 0),
        (True, 1),
        (1.0, 1),
        (-0.0, 0),
        (None, None),
        (0.25, 0.25),
        ("2.5", 2.5),
        (" True", 1),
    ],
)
def test_marks_of_a_turn_are_carried_out(key: str, value: Any, weight: float | None) -> None:
    assert read({"messages": [USER, {**ASSISTANT, key: value}]})[1].turns[1] == Turn("assistant", "a", weight)


def test_true_is_any_weight_but_none() -> None:
    def weight(marks: dict[str, Any]) -> float | None:
        return read({"messages": [USER, {**ASSISTANT, **marks}]})[1].turns[1].weight

    assert weight({"loss": True, "loss_scale": 2}) == 2
    assert weight({"loss": False, "loss_scale": "0.0"}) == 0


@pytest.mark.parametrize("key", MARKS)
def test_marks_of_a_row_are_for_its_answers_or_a_list_for_its_turns(key: str) -> None:
    def learn(row: dict[str, Any]) -> list[float | None]:
        return [turn.weight for turn in read(row)[1].turns]

    assert learn({**ROW, key: 0}) == [None, False]
    assert learn({"prompt": "q", "completion": "a", key: "false"}) == [None, False]
    assert learn({**ROW, key: [0, 1]}) == [False, True]
    assert learn({**ROW, key: "[0, 0]", "system": "s"}) == [None, False, False]
    assert learn({**ROW, key: [None, 0.5]}) == [None, 0.5]
    assert learn({**ROW, key: "1.5"}) == [None, 1.5]
    assert read({"text": "words", key: False})[1].weight == 0
    assert read({"text": "words", key: 3})[1].weight == 3


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            {"messages": [USER, {**ASSISTANT, "weight": -0.5}]},
            r"messages\[1\].weight is float -0.5; write a weight of 0",
        ),
        ({"messages": [USER, {**ASSISTANT, "weight": float("inf")}]}, "weight is float inf; write a weight of 0"),
        ({"messages": [USER, {**ASSISTANT, "loss_scale": "NaN"}]}, "loss_scale is str 'NaN'; write a weight of 0"),
        ({"messages": [USER, {**ASSISTANT, "loss_scale": "high"}]}, "loss_scale is str 'high'; write a weight of 0"),
        ({"messages": [USER, {**ASSISTANT, "loss_scale": 1e30}]}, r"1e\+30; write a weight of 0 .not learnt. to 1000"),
        ({"messages": [USER, {**ASSISTANT, "loss_scale": [1]}]}, r"loss_scale is list \[1\]; write a weight of 0"),
        ({"messages": [USER, {**ASSISTANT, "weight": 1, "loss_scale": 2}]}, "weight and loss_scale, which say"),
        ({"messages": [USER, {**ASSISTANT, "weight": True, "loss_scale": 0}]}, "weight and loss_scale, which say"),
        ({"messages": [USER, {**ASSISTANT, "weight": 1, "train": False}]}, "weight and train, which say different"),
        ({**ROW, "loss_mask": [1]}, "loss_mask has 1 marks, the row has 2 turns"),
        ({**ROW, "weight": -3}, "weight is int -3"),
        ({**ROW, "loss_mask": [0, -1]}, r"loss_mask\[1\] is int -1"),
        ({"messages": [USER, {**ASSISTANT, "train": True}], "loss_mask": [0, 0]}, "say different things"),
    ],
)
def test_marks_that_cannot_be_carried_out(row: dict[str, Any], words: str) -> None:
    with pytest.raises(RowError, match=words):
        read(row)


def test_keys_that_nobody_reads_are_noted_with_their_first_row() -> None:
    found = detect(ROW, None, FORMATS)
    book = key_book(found, None)
    for number in (3, 5, 9):
        book.number = number
        turns = [
            {**USER, "mood": "glad"},
            {"role": "assistant", "content": [{"type": "text", "text": "a", "font": "x"}]},
        ]
        row = {"messages": turns, "answerable": True, "text": "rendered", "id": 1, "empty": None}
        converted(row if number > 3 else ROW, found, None, book)
    noted = {key: (seen.count, seen.first) for key, seen in book.unread.items()}
    assert noted == dict.fromkeys([("row", "answerable"), ("row", "text"), ("turn", "mood"), ("part", "font")], (2, 5))


def test_keys_beside_one_of_their_kind_that_is_read_are_noted() -> None:
    found = FORMATS_OF["preference"]["preference"]
    book = key_book(found, None)
    converted({"prompt": "q", "chosen": "a", "rejected": "b", "chosen_score": 3}, found, None, book)
    assert {key for _, key in book.unread} == {"chosen_score"}


def test_no_key_is_in_two_tables() -> None:
    for level in LEVELS:
        names = [key for kind in REFUSED for key in kind.keys.get(level, ())] + list(HARMLESS[level]) + list(MARKS)
        assert sorted(names) == sorted(set(names)), level
