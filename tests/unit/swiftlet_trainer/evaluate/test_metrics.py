# ruff: noqa: RUF001 - letters that look like others are what is tried
"""Metrics against figures worked out by hand."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from swiftlet_trainer.evaluate.metrics import contains, exact_match, normalised, rouge_l
from swiftlet_trainer.evaluate.words import is_blank, words

ENGLISH = [
    ("It's a well-known fact: swifts fly 1,000,000 km.", "It is a well known fact; Swifts fly 1000000 km"),
    ("snake_case and CamelCase", "Snake Case and camelcase"),
    ("the cat sat on the mat", "the cat lay on the mat\n\tnearby"),
    ("", "anything"),
]
"""Answer and reference."""


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


@given(st.text(st.characters(codec="ascii")), st.text(st.characters(codec="ascii")))
def test_rouge_l_of_english_is_that_of_rouge_score(answer: str, reference: str) -> None:
    assume(words(reference))
    expected = RougeScorer(["rougeL"], use_stemmer=False).score(reference, answer)["rougeL"].fmeasure
    assert rouge_l(answer, [reference]) == expected


@pytest.mark.parametrize(("answer", "reference"), ENGLISH)
def test_rouge_l_of_english_examples_is_that_of_rouge_score(answer: str, reference: str) -> None:
    expected = RougeScorer(["rougeL"], use_stemmer=False).score(reference, answer)["rougeL"].fmeasure
    assert rouge_l(answer, [reference]) == expected


@given(st.text())
def test_the_same_text_is_matched_in_any_script_and_form(text: str) -> None:
    assume(not is_blank(text))
    for form in ("NFC", "NFD"):
        other = unicodedata.normalize(form, text)
        assert rouge_l(other, [text]) == 1
        assert exact_match(other, [text]) == contains(other, [text]) == 1


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("我是一个助手", "我是一个助手", 1),
        ("我是助手", "我是一个助手", 0.8),  # 4 of 4 and 4 of 6 characters
        ("Привет, мир!", "привет мир", 1),
        ("Привет, дом", "привет мир", 0.5),
        ("café crème", "cafe creme", 0),
        ("CAFÉ", "cafe\u0301", 1),
        ("สวัสดี", "สวัสดี", 1),
        ("나는 새다", "나는 소다", 0.5),  # by blanks
        ("हिन्दी भाषा", "हिन्दू भाषा", 0.5),  # vowel signs belong to their word
        ("Straße", "STRASSE", 1),
        ("ＡＰＵＳ", "apus", 1),
        ("می\u200cخواهم", "میخواهم", 1),
        ("👍", "👍", 1),
        ("👎", "👍", 0),
        ("👍 great", "👍", 2 / 3),
        ("great ❤️", "great", 1),
        ("...", "...", 1),
        ("no", "...", 0),
        ("\U0001faf0\U0001fadf", "\U0001faf0\U0001fadf", 1),  # of a later Unicode
    ],
)
def test_rouge_l_of_any_script(answer: str, reference: str, expected: float) -> None:
    assert rouge_l(answer, [reference]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPT-4 は3.5より良い", ["gpt", "4", "は", "3", "5", "よ", "り", "良", "い"]),
        ("ភាសាខ្មែរ", ["ភា", "សា", "ខ្", "មែ", "រ"]),
        ("ﾊﾟﾝ", ["パ", "ン"]),
        ("❤️ \u0301", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize("text", ["", " \u3000", "\u200b", "\u2060\ufeff", "\x00"])
def test_what_nobody_sees_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize(("answer", "reference"), [("e\u0301", "É"), ("각", unicodedata.normalize("NFD", "각"))])
def test_composition_is_no_difference(answer: str, reference: str) -> None:
    assert exact_match(answer, [reference]) == contains(answer, [reference]) == 1
    assert contains("café", ["cafe"]) == contains("cafe\u0301", ["cafe"]) == 0
