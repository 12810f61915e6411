"""Thoughts, told from a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet_trainer.serve.thought_reader import Thinks, ThoughtReader


def read(pieces: list[str], thinks: Thinks) -> tuple[str, str]:
    reader = ThoughtReader(thinks)
    found = [*map(reader.push, pieces), reader.rest()]
    return "".join(thought for thought, _ in found), "".join(said for _, said in found)


@pytest.mark.parametrize(
    ("thinks", "text", "expected"),
    [
        ("may", "<think>\nHm. 1 < 2\n</think>\n\nYes.", ("Hm. 1 < 2", "Yes.")),
        ("may", "\n<think>Hm.</think>Yes.\n", ("Hm.", "Yes.\n")),
        ("may", "  Yes. <think>", ("", "  Yes. <think>")),
        ("may", "<thin", ("", "<thin")),
        ("may", "<think>\n\n</think>\n\nYes.", ("", "Yes.")),
        ("may", "<think>Hm. </thi", ("Hm. </thi", "")),
        ("may", "Hm.</think>Yes.", ("", "Hm.</think>Yes.")),
        ("opened", "\nHm.\n</think>\n\nYes. </think>", ("Hm.", "Yes. </think>")),
        ("opened", "Hm.", ("Hm.", "")),
        ("no", "<think>Hm.</think>Yes.", ("", "<think>Hm.</think>Yes.")),
        ("no", "", ("", "")),
    ],
)
def test_thoughts_are_told_however_they_come(thinks: Thinks, text: str, expected: tuple[str, str]) -> None:
    assert read([text], thinks) == expected
    assert read(list(text), thinks) == expected


@given(
    st.lists(st.sampled_from(["<", "think>", "</think>", " ", "\n", "a", "<think>", "</thi"]), max_size=9),
    st.sampled_from(["no", "may", "opened"]),
)
def test_pieces_are_read_as_the_whole_and_nothing_but_blanks_and_marks_is_lost(
    pieces: list[str], thinks: Thinks
) -> None:
    whole = "".join(pieces)
    thought, said = read(pieces, thinks)
    assert (thought, said) == read([whole], thinks)
    kept = "".join((thought + said).split())
    bare = "".join(whole.split())
    assert kept in (
        bare,
        bare.replace("<think>", "", 1).replace("</think>", "", 1),
        bare.replace("</think>", "", 1),
        bare.replace("<think>", "", 1),
    )
