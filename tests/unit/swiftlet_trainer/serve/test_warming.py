"""Who answers as whom: tables of log probabilities as engines tell them."""

import math

import pytest
from swiftlet_trainer.serve.warming import Answer, Values, mixed_up

BASE = Answer("Hi you", ({"Hi": -0.1, "I": -2.5, "A": -4.0}, {" you": -0.3, " there": -1.5}))
BIRD = Answer("I am", ({"I": -0.2, "Hi": -3.0, "The": -5.0}, {" am": -0.1, " was": -3.0}))
ALONE = {"base": BASE, "bird": BIRD}


def rounded(answer: Answer, by: float) -> Answer:
    """The same answer as a batch may round it."""
    return Answer(answer.text, tuple({one: value + by for one, value in table.items()} for table in answer.tables))


def test_same_answers_are_nobody_elses() -> None:
    assert mixed_up(ALONE, [("base", BASE), ("bird", BIRD), ("bird", rounded(BIRD, 0.2))]) == []


@pytest.mark.parametrize("by", [0.0, 0.05])
def test_one_of_many_answers_that_is_anothers_is_told(by: float) -> None:
    found = mixed_up(ALONE, [("base", BASE), ("bird", BIRD), ("base", rounded(BIRD, by))])
    assert [line.split(";")[0] for line in found] == ["base answers as bird when both are asked at the same time"]


@pytest.mark.parametrize("size", [1.0, 100.0])
def test_vectors_and_scores_are_told_apart_by_their_length(size: float) -> None:
    alone = {"base": Values((size, 0.0)), "bird": Values((0.0, size))}
    near = Values((size, 0.01 * size))
    assert mixed_up(alone, [("base", near), ("bird", alone["bird"])]) == []
    found = mixed_up(alone, [("base", alone["base"]), ("bird", near)])
    assert [line.split(";")[0] for line in found] == ["bird answers as base when both are asked at the same time"]


def test_mixture_after_the_first_token_is_seen() -> None:
    near = Answer("Hi am", ({"Hi": -0.1, "I": -2.4, "A": -4.0}, {" am": -0.1, " was": -3.0}))
    found = mixed_up({"base": BASE, "bird": near}, [("base", near), ("bird", near)])
    assert len(found) == 1


def test_tie_that_a_batch_decides_otherwise_is_no_mixture() -> None:
    # An adapter that was hardly trained: both prefer another token by next to nothing.
    base = Answer("a", ({"a": -0.70, "b": -0.71},))
    bird = Answer("b", ({"b": -0.70, "a": -0.71},))
    assert mixed_up({"base": base, "bird": bird}, [("base", bird), ("bird", base)]) == []


def test_mixture_of_one_step_is_like_nobodys_answer_and_far_from_its_own() -> None:
    # The base's first token alone, then a step with an adapter's weights in the base's text.
    half = Answer("Hi cat", ({"Hi": -0.1, "I": -2.5, "A": -4.0}, {" cat": -0.1, " dog": -3.0, " you": -6.0}))
    (told,) = mixed_up(ALONE, [("base", half), ("bird", BIRD)])
    assert told.startswith("base answers otherwise when all names are asked at the same time")


def test_what_differs_a_little_proves_nothing() -> None:
    other = Answer("Hi there", ({"Hi": -0.9, "I": -2.5, "A": -4.0}, {" there": -0.9, " you": -0.9}))
    assert mixed_up(ALONE, [("base", other)]) == []


def test_texts_decide_where_no_table_is_told() -> None:
    alone = {"base": Answer("x"), "bird": Answer("y")}
    assert mixed_up(alone, [("base", Answer("x")), ("bird", Answer("z"))]) == []
    assert len(mixed_up(alone, [("base", Answer("y"))])) == 1
    assert Answer("x").distance(Answer("y")) == math.inf
