"""Text of users for people to read: what would act on a terminal or a page, or would not be seen, is written out."""

import unicodedata

MARKS = {" ": "·", "\n": "⏎", "\t": "⇥"}
"""What stands for blanks that must be seen."""
_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))
_ISOLATE, _END = "\u2068", "\u2069"
"""Around text whose direction must not turn what is beside it. Source: Unicode standard annex 9, section 2.4."""


def escaped(text: str) -> str:
    """One line of the text: control and format characters, halves of surrogate pairs, line ends and blanks that are no
    space become escapes; so none of it moves a cursor, turns the direction of writing, or hides."""
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def visible(text: str) -> str:
    """The same of a token: blanks become MARKS, a mark that would sit on the character before it gets a circle, and
    text from right to left stays within itself."""
    shown = "".join(MARKS.get(char) or (char if char.isprintable() else _escape(char)) for char in text)
    if shown and unicodedata.combining(shown[0]):
        shown = f"◌{shown}"
    if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in shown):
        return f"{_ISOLATE}{shown}{_END}"
    return shown


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
