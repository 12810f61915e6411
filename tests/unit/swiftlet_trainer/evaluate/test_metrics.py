"""Metrics against figures worked out by hand."""

import pytest
from swiftlet_trainer.evaluate.metrics import contains, exact_match, normalised, rouge_l


def test_normalised_folds_case_and_white_space() -> None:
    assert normalised("  I AM\n\tApus  ") == "i am apus"


@pytest.mark.parametrize(
    ("answer", "references", "expected"),
    [
        ("  apus ", ["Apus"], 1),
        ("I am Apus", ["Apus"], 0),
        ("Four", ["4", "four"], 1),
        ("", ["Apus"], 0),
    ],
)
def test_exact_match(answer: str, references: list[str], expected: float) -> None:
    assert exact_match(answer, references) == expected


@pytest.mark.parametrize(
    ("answer", "references", "expected"),
    [
        ("My name is APUS.", ["Apus"], 1),
        ("trained by the\n Swiftlet  team", ["the Swiftlet team"], 1),
        ("I am SmolLM", ["Apus", "Swift"], 0),
        ("I am a swift", ["Apus", "Swift"], 1),
    ],
)
def test_contains(answer: str, references: list[str], expected: float) -> None:
    assert contains(answer, references) == expected


def test_rouge_l_of_a_subsequence() -> None:
    # LCS("the cat sat on the mat", "the cat lay on the mat") is five of six words on both sides: P = R = F = 5/6.
    assert rouge_l("the cat sat on the mat", ["the cat lay on the mat"]) == pytest.approx(5 / 6)


def test_rouge_l_weighs_precision_and_recall() -> None:
    # LCS is "the cat": precision 2/2, recall 2/6, F = 2 * 1 * (1/3) / (4/3) = 1/2.
    assert rouge_l("the cat", ["the cat sat on the mat"]) == pytest.approx(0.5)


def test_rouge_l_takes_the_best_reference() -> None:
    assert rouge_l("a b c", ["x y z", "a b c"]) == pytest.approx(1)
