"""Labels as others write them, and what is refused of them."""

from typing import Any

import pytest
from swiftlet_trainer.data.examples import Example, Labelled
from swiftlet_trainer.data.formats import converted, detect, key_book
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.labelled import LABELLED, targets_of
from swiftlet_trainer.data.turns import Turn

NAMES = ("sad", "glad", "3")
SINGLE, MULTI, FIGURES = "single_label_classification", "multi_label_classification", "regression"


def read(row: dict[str, Any]) -> Labelled:
    found = detect(row, None, LABELLED)
    return converted(row, found, None, key_book(found, None))


def test_texts_and_conversations_have_labels() -> None:
    assert read({"text": "Fine.", "label": 1}) == Labelled(Example([], "Fine."), 1)
    assert read({"sentence": "Fine.", "label": 0, "idx": 3}) == Labelled(Example([], "Fine."), 0)
    said = [{"role": "user", "content": "Fine."}]
    assert read({"messages": said, "label": [0, 1]}) == Labelled(Example([Turn("user", "Fine.")]), [0, 1])


def test_a_row_without_a_label_is_refused() -> None:
    with pytest.raises(RowError, match="text needs text/sentence and label/labels"):
        read({"text": "Fine."})


@pytest.mark.parametrize(
    ("problem", "label", "expected"),
    [
        (SINGLE, 1, (1.0,)),
        (SINGLE, "glad", (1.0,)),
        (SINGLE, "3", (2.0,)),  # a name before a number
        (SINGLE, "0", (0.0,)),  # as CSV has it
        (SINGLE, [2.0], (2.0,)),
        (MULTI, ["glad", 0], (1.0, 1.0, 0.0)),
        (MULTI, "[1, 2]", (0.0, 1.0, 1.0)),
        (MULTI, [1.0, 0.0, 1.0], (1.0, 0.0, 1.0)),
        (MULTI, [], (0.0, 0.0, 0.0)),
        (MULTI, "sad", (1.0, 0.0, 0.0)),
        (FIGURES, [1, -0.5, 2], (1.0, -0.5, 2.0)),
    ],
)
def test_a_label_is_what_it_means(problem: str, label: Any, expected: tuple[float, ...]) -> None:
    assert targets_of(label, NAMES, problem) == expected


@pytest.mark.parametrize(
    ("problem", "label", "words"),
    [
        (SINGLE, 3, "label is int 3; known are sad, glad, 3, or 0 to 2"),
        (SINGLE, -1, "known are"),
        (SINGLE, 1.5, "known are"),
        (SINGLE, "happy", "known are sad, glad"),
        (SINGLE, [0, 1], "give one class, or set problemType: multi_label_classification"),
        (SINGLE, [], "give one class"),
        (MULTI, [0, 7], "label is int 7"),
        (FIGURES, 1.0, "label has 1 numbers for 3 figures"),
        (FIGURES, [1, 2, float("nan")], "give a number"),
        (FIGURES, "high", "known are"),
    ],
)
def test_another_label_is_refused(problem: str, label: Any, words: str) -> None:
    with pytest.raises(RowError, match=words):
        targets_of(label, NAMES, problem)
