"""Text of tokens that come one by one, with the real tokenizer."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from swiftlet_trainer.templates.detokenizer import Detokenizer


def _pieces(tokenizer: Any, ids: list[int]) -> list[str]:
    stream = Detokenizer(tokenizer)
    return [*(stream.push(token) for token in ids), stream.rest()]


@given(ids=st.lists(st.integers(0, 49151), max_size=30))
@example(ids=[0, 1, 2])
def test_pieces_are_the_text_of_the_whole(tokenizer: Any, ids: list[int]) -> None:
    assert "".join(_pieces(tokenizer, ids)) == tokenizer.decode(ids, skip_special_tokens=True)


def test_a_character_of_several_tokens_comes_whole(tokenizer: Any) -> None:
    ids = tokenizer("ok 🦜 你")["input_ids"]
    pieces = _pieces(tokenizer, ids)
    assert len(ids) > 4
    assert "".join(pieces) == "ok 🦜 你"
    assert not [piece for piece in pieces if "\ufffd" in piece]


def test_what_never_becomes_whole_is_said_at_the_end(tokenizer: Any) -> None:
    broken = tokenizer("🦜")["input_ids"][:-1]
    assert _pieces(tokenizer, broken)[-1] == tokenizer.decode(broken)
