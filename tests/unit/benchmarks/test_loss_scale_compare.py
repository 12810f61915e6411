"""What is said of two programs' weights of one row."""

import pytest
from loss_scale_compare import (
    APART,
    BEGINS,
    BEHIND,
    CUT,
    EMPTY,
    END,
    ENDS,
    FIRST,
    MARKED,
    MARKED_END,
    NOTHING,
    PREFIX,
    REFUSED,
    REST,
    RUNS_ON,
    START,
    TEXTS,
    UNKNOWN,
    Token,
    differences,
)


def turn(role: str, *said: Token, end: float = 0, behind: float = 0) -> list[Token]:
    return [(START, 0), (role.encode(), 0), (b"\n", 0), *said, (END, end), (b"\n", behind)]


ASKED = turn("user", (b"Go", 0))


def test_rows_of_the_same_weights_do_not_differ() -> None:
    row = [*ASKED, *turn("assistant", (b"Action:", 2), (b" x", 2), end=1)]
    assert differences(row, row, row) == {}
    cut = [*ASKED, *turn("assistant", (b"Act", 2), (b"ion: x", 2), end=1)]
    assert differences(cut, row, row) == {}  # other tokens of the same weights


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [
        (turn("assistant", (b"a", 1), end=1), turn("assistant", (b"a", 1), end=1, behind=1), BEHIND),
        (turn("assistant", (b"a", 0), end=1), turn("assistant", (b"a", 0)), ENDS),
        (turn("assistant", (b"a:", 2), (b" b", 1)), turn("assistant", (b"a: ", 2), (b"b", 1)), APART),
        (turn("assistant", (b"<think>\n\n</think>", 0)), turn("assistant", (b"<think>\n\n</think>", 1)), EMPTY),
        (turn("assistant", (b"</think>", 0), (b"a b", 0)), turn("assistant", (b"</think>", 0), (b"a b", 1)), BEGINS),
        (
            turn("assistant", (b"</think>a b", 0), (b" c", 0)),
            turn("assistant", (b"</think>a b", 0), (b" c", 1)),
            UNKNOWN,
        ),
        (turn("assistant", (b"7plain x", 1), (b" y", 1)), turn("assistant", (b"7plain x", 1), (b" y", 0)), REST),
        (turn("assistant", (b"7 plain x", 1), (b" y", 1)), turn("assistant", (b"7 plain x", 1), (b" y", 0)), UNKNOWN),
        (turn("assistant", (b"a\nb", 1)), turn("assistant", (b"ab", 1)), TEXTS),
        (turn("assistant", (b"ab", 1)), turn("assistant", (b"a", 1), (b" b", 1)), PREFIX),
        (turn("assistant", (b"ab", 1)), turn("assistant", (b"ab", 2)), UNKNOWN),
        (turn("assistant", (b"a: ", 1), (b"b", 1)), turn("assistant", (b"a: ", 2), (b"b", 1)), UNKNOWN),
        (turn("user", (b"ab", 1)), turn("user", (b"ab", 0)), UNKNOWN),
    ],
)
def test_each_difference_has_its_reason(ours: list[Token], theirs: list[Token], why: str) -> None:
    assert [*differences([*ASKED, *ours], [*ASKED, *theirs], [*ASKED, *theirs])] == [why]


def test_prompts_that_are_learnt() -> None:
    ours = [(START, 1.0), (b"user", 1.0), (b"Go", 2.0), (END, 1.0), *turn("assistant", (b"x", 1))]
    theirs = [(START, 0.0), (b"user", 1.0), (b"Go", 1.0), (END, 1.0), *turn("assistant", (b"x", 1))]
    assert [*differences(ours, theirs, theirs, is_whole=True)] == [FIRST, RUNS_ON]
    assert UNKNOWN in differences(ours, theirs, theirs)


def test_marks_multiply_what_the_peer_gives_without_them() -> None:
    plain = [*ASKED, *turn("assistant", (b"Action:", 2), end=1)]
    marked = [*ASKED, *turn("assistant", (b"Action:", 0.5), end=1)]
    ours = [*ASKED, *turn("assistant", (b"Action:", 1), end=0.5)]
    assert [*differences(ours, marked, plain, [0.5])] == [MARKED]
    assert [*differences(ours, [*ASKED, *turn("assistant", (b"Action:", 1), end=1)], plain, [0.5])] == [MARKED_END]
    assert UNKNOWN in differences(marked, marked, plain, [0.5])


def test_what_is_left_out_may_hold_nothing_that_is_learnt() -> None:
    row = [*ASKED, *turn("assistant", (b"a", 1), end=1)]
    assert [*differences(row, [*row, *ASKED], [*row, *ASKED])] == [CUT]
    assert UNKNOWN in differences(row, [*row, *row], [*row, *row])
    assert [*differences("dropped (not_learnt)", row, row, [0])] == [MARKED, NOTHING]
    assert [*differences("dropped (no_labels)", row, row)] == [UNKNOWN]
    assert [*differences("dropped (template_refused)", row, row)] == [REFUSED]
