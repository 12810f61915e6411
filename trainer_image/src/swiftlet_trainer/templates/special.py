"""Control tokens of a tokenizer, and the search for them in the text of users."""

import re
from collections.abc import Iterable
from typing import Any


def special_tokens(tokenizer: Any) -> list[str]:
    """Text of the tokenizer's control tokens, longest first so that none hides behind another's beginning."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    return sorted({*added, *tokenizer.all_special_tokens}, key=lambda token: (-len(token), token))


def pattern_of(tokens: Iterable[str]) -> re.Pattern[str]:
    """Matches any of `tokens`; nothing when there are none."""
    return re.compile("|".join(re.escape(token) for token in tokens) or r"(?!)")


class SpecialTokens:
    """Finds control tokens in text.

    A tokenizer turns their text into the tokens themselves, so that a row could end its own turn and write another's.
    A chat template hands text and control tokens on as one string, where they can no longer be told apart: such rows
    are left out and counted.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._pattern = pattern_of(special_tokens(tokenizer))

    def find(self, contents: Iterable[str]) -> str | None:
        """The first control token in any of `contents`."""
        return next((found[0] for content in contents if (found := self._pattern.search(content))), None)
