"""A token has the factor of the first of its characters that is not blank."""

from hypothesis import given
from hypothesis import strategies as st
from swiftlet_trainer.templates.factors import Characters

TEXTS = st.text(alphabet="ab \n", min_size=1, max_size=12)


@st.composite
def tokenized(draw: st.DrawFn) -> tuple[str, list[tuple[int, int, float]], list[tuple[int, int]]]:
    text = draw(TEXTS)
    places = st.integers(0, len(text))
    ranges = st.tuples(places, places).map(lambda pair: (min(pair), max(pair)))
    pieces = draw(st.lists(st.tuples(ranges, st.sampled_from([0.0, 0.5, 2.0])), max_size=3))
    tokens = draw(st.lists(ranges, max_size=5))
    return text, [(*span, factor) for span, factor in pieces], tokens


def by_hand(text: str, pieces: list[tuple[int, int, float]], token: tuple[int, int]) -> float:
    start, end = token
    place = next((place for place in range(start, end) if not text[place].isspace()), start)
    factor = 1.0
    for begin, stop, one in pieces:
        factor *= one if begin <= place < stop else 1.0
    return factor


@given(tokenized())
def test_as_by_hand(made: tuple[str, list[tuple[int, int, float]], list[tuple[int, int]]]) -> None:
    text, pieces, tokens = made
    assert Characters(text, pieces).of_tokens(tokens).tolist() == [by_hand(text, pieces, token) for token in tokens]


def test_what_is_put_in_is_blank_and_counts_once() -> None:
    characters = Characters("ab", [(1, 2, 3.0)])
    characters.insert([(0, "▁"), (1, "#"), (1, "▁")])
    assert characters.of_tokens([(0, 2), (2, 3), (3, 5)]).tolist() == [1, 1, 3]


def test_stretched_characters_keep_their_factor() -> None:
    characters = Characters("a<x>b", [(1, 4, 2.0)])
    characters.stretch([1, 1, 0, 0, 3])
    assert characters.of_tokens([(0, 1), (1, 2), (2, 5)]).tolist() == [1, 2, 1]
