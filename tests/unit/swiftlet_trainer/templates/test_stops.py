"""Cutting a stream at stop texts."""

from hypothesis import given
from hypothesis import strategies as st
from swiftlet_trainer.templates.stops import StopCutter


def _run(pieces: list[str], stops: list[str]) -> tuple[list[str], bool]:
    cutter, shown = StopCutter(stops), []
    for piece in pieces:
        shown.append(cutter.push(piece))
        if cutter.stopped:
            return shown, True
    return [*shown, cutter.rest()], False


def test_stop_that_spans_pieces_is_never_shown() -> None:
    assert _run(["I am ", "Ap", "us", "!"], ["Apus"]) == (["I am ", "", ""], True)


def test_beginning_of_a_stop_is_shown_once_it_is_none() -> None:
    assert _run(["Ap", "ple"], ["Apus"]) == (["", "Apple", ""], False)


def test_held_text_is_shown_at_the_end() -> None:
    assert _run(["Ap"], ["Apus"]) == (["", "Ap"], False)


@given(st.lists(st.text("ab", max_size=4), max_size=6), st.lists(st.text("ab", min_size=1, max_size=3), max_size=3))
def test_same_as_cutting_the_whole_text(pieces: list[str], stops: list[str]) -> None:
    shown, stopped = _run(pieces, stops)
    whole = "".join(pieces)
    places = [whole.find(stop) for stop in stops if stop in whole]
    assert stopped == bool(places)
    if not stopped:
        assert "".join(shown) == whole
    else:
        text = "".join(shown)
        assert whole.startswith(text)
        assert not any(stop in text for stop in stops)
