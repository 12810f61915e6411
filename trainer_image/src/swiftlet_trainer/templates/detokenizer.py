"""Text of a stream of tokens."""

from collections.abc import Collection
from typing import Any

UNFINISHED = "\ufffd"
"""How a tokenizer writes bytes that are no whole character yet."""


def silent_tokens(tokenizer: Any, kept: Collection[str] = ()) -> set[int]:
    """Ids of control tokens that are no part of a text; those in `kept` are."""
    added = tokenizer.added_tokens_decoder.items()
    return {number for number, token in added if token.special and token.content not in kept}


class Detokenizer:
    """Gives the text that each token adds, once its characters are whole. Special tokens have none but those in `kept`.

    A few tokens are decoded at a time, since the text of a token depends on the one before it (blanks, merged bytes).
    """

    def __init__(self, tokenizer: Any, kept: Collection[str] = ()) -> None:
        self._tokenizer, self._keeps = tokenizer, bool(kept)
        self._silent = silent_tokens(tokenizer, kept) if kept else set[int]()
        self._shown: list[int] = []
        self._new: list[int] = []

    def push(self, token: int) -> str:
        """The text that `token` makes whole."""
        if token in self._silent:
            return ""
        self._new.append(token)
        text = self._added()
        if not text or text.endswith(UNFINISHED):
            return ""
        self._shown, self._new = self._new, []
        return text

    def rest(self) -> str:
        """What never became whole, when no more tokens come."""
        return self._added() if self._new else ""

    def _added(self) -> str:
        return self._decoded(self._shown + self._new)[len(self._decoded(self._shown)) :]

    def _decoded(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=not self._keeps, clean_up_tokenization_spaces=False)
        return text
