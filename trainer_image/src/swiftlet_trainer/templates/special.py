"""Control tokens of a tokenizer, and text of users that looks like them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

FIRST_STAND_IN = 0x100000
"""Characters of the last private plane of Unicode stand for control tokens and what looks like them."""
SEAM = chr(0x10FFF0)
"""Stands between two segments of a row."""


def special_tokens(tokenizer: Any) -> list[str]:
    """Text of the tokenizer's control tokens, longest first so that none hides behind another's beginning."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    return sorted({*added, *tokenizer.all_special_tokens}, key=lambda token: (-len(token), token))


def pattern_of(tokens: Iterable[str]) -> re.Pattern[str]:
    """Matches any of `tokens`; nothing when there are none."""
    return re.compile("|".join(re.escape(token) for token in tokens) or r"(?!)")


def changed_texts(value: Any, change: Callable[[str], str]) -> Any:
    """A value of JSON with all its texts changed, names of members too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {changed_texts(key, change): changed_texts(one, change) for key, one in value.items()}
    return [changed_texts(one, change) for one in value] if isinstance(value, list | tuple) else value


def texts_in(value: Any) -> Iterator[str]:
    """All texts of a value of JSON, names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from texts_in(key)
            yield from texts_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_in(one)


class SpecialTokens:
    """Tells control tokens from text that only looks like them.

    A tokenizer turns their text into the tokens themselves, so that a row could end its own turn and write another's;
    and a chat template hands text and control tokens on as one string, where they can no longer be told apart. So what
    looks like one in the text of users is replaced by a character of its own before the template sees it.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokens = special_tokens(tokenizer)
        self._pattern = pattern_of(self.tokens)
        self._shields = {token: chr(FIRST_STAND_IN + 2 * index) for index, token in enumerate(self.tokens)}
        self.stand_ins = {token: chr(FIRST_STAND_IN + 2 * index + 1) for index, token in enumerate(self.tokens)}
        """A character for each true control token."""
        self._back = str.maketrans({shield: token for token, shield in self._shields.items()})
        self._spelled = self._back | str.maketrans({mark: token for token, mark in self.stand_ins.items()})
        self._reserved = re.compile(f"[{chr(FIRST_STAND_IN)}-{chr(FIRST_STAND_IN + 2 * len(self.tokens))}{SEAM}]")

    def find(self, contents: Iterable[str]) -> str | None:
        """The first text in `contents` that looks like a control token."""
        return next((found[0] for content in contents if (found := self._pattern.search(content))), None)

    def reserved(self, content: str) -> str | None:
        """A character in the text that is needed here for something else."""
        found = None if content.isascii() else self._reserved.search(content)
        return found[0] if found else None

    def shielded(self, content: str) -> str:
        """The text with what looks like a control token replaced."""
        return self._pattern.sub(lambda found: self._shields[found[0]], content)

    def shielded_value(self, value: Any) -> Any:
        """A value of JSON whose texts are shielded, names of members too."""
        return changed_texts(value, self.shielded)

    def unshielded(self, text: str) -> str:
        """The text as it was."""
        return text.translate(self._back)

    def spelled(self, text: str) -> str:
        """A text with the text of each control token in place of the character that stands for it or for its looks."""
        return text.translate(self._spelled)

    def marked(self, text: str) -> str:
        """A rendered text with a character for each true control token, and the text of users as it was."""
        return self.unshielded(self._pattern.sub(lambda found: self.stand_ins[found[0]], text))

    def widths(self, text: str) -> list[int]:
        """Of each character of a rendered text how many `marked` writes for it."""
        found = self.shield_widths(text)
        for token in self._pattern.finditer(text):
            found[token.start() : token.end()] = [1, *[0] * (token.end() - token.start() - 1)]
        return found

    def shield_widths(self, text: str) -> list[int]:
        """The same of `unshielded`."""
        return [len(self._back.get(ord(char), char)) for char in text]
