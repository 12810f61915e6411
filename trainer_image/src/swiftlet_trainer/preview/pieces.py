"""The text of single tokens."""

from typing import Any

from transformers.convert_slow_tokenizer import bytes_to_unicode

from swiftlet_trainer.templates.detokenizer import UNFINISHED

ANCHOR = "a"
"""Is put before a token, since decoders leave out the blank of a first one."""


class Pieces:
    """Finds the text of each token of a tokenizer, once."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._before = [int(one) for one in tokenizer(ANCHOR, add_special_tokens=False)["input_ids"]]
        self._lead = self._decoded([])
        self._bytes = {char: byte for byte, char in bytes_to_unicode().items()}
        self._known: dict[int, str] = {}
        self.control = frozenset(one for one, token in tokenizer.added_tokens_decoder.items() if token.special)
        """Ids of control tokens."""

    def text(self, token: int) -> str:
        """What the token adds to a text; of a control token its name. Bytes that are no character are `\\xe2`."""
        if token not in self._known:
            self._known[token] = self._found(token)
        return self._known[token]

    def _found(self, token: int) -> str:
        name = self._tokenizer.convert_ids_to_tokens(token)
        if token in self.control or name is None:
            return str(name)
        text = self._decoded([token])[len(self._lead) :]
        return self._as_bytes(name, text) if UNFINISHED in text else text

    def _decoded(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(
            [*self._before, *ids], skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text

    def _as_bytes(self, name: str, text: str) -> str:
        """The token of which decoding has made `text`. name: as vocabularies of bytes write it, a character for each
        byte, or `<0xE2>`."""
        if len(name) == 6 and name.startswith("<0x") and name.endswith(">"):
            return f"\\x{name[3:5].lower()}"
        if not all(char in self._bytes for char in name):
            return text
        return bytes(self._bytes[char] for char in name).decode("utf-8", "backslashreplace")
